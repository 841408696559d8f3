// Compares what travels in one direction, structure by structure: whoever still has the old schema
// writes or reads it, whoever has the new one is at the other end. Names of types, and of fields
// under the same number, do not travel and so do not count.
//
//   requests:   old clients write  ─▶ the new server reads
//   responses:  the new server writes ─▶ old clients read
//
// A pair of types is compared once a direction, however often it is used; recursive types end
// there.
#pragma once

#include <set>
#include <tuple>
#include <vector>

#include "registry/compat/collector.h"
#include "registry/compat/elements.h"
#include "registry/compat/number_ranges.h"

namespace pinion::compat {

enum class Direction { kRequest, kResponse };

class Exchange {
 public:
  // All must outlive it.
  Exchange(const Elements& before, const Elements& now, Collector& out)
      : before_(before), now_(now), out_(out) {}

  // And all that they hold, however deep: what is still to do waits in a list, as a chain of types
  // may be longer than a stack.
  void CompareMessages(const Message& before, const Message& now, Direction direction);

  // Of one type and number; whether requests or responses hold them nobody knows, so in both.
  void CompareExtensions(const Field& before, const Field& now);

  // Every old message that was compared so far.
  bool has_compared(const Message& before) const { return compared_.contains(&before); }

 private:
  struct Open {
    const Message* before;
    const Message* now;
    Direction direction;
  };

  void Finish();
  void CompareOne(const Message& before, const Message& now, Direction direction);
  void CompareNames(const Message& before, const Message& now);
  void CompareDeleted(const Field& field, const Message& now, const NumberSet& reserved,
                      Direction direction);
  void CompareFields(const Field& before, const Field& now, Direction direction);
  void CompareKinds(const Field& before, const Field& now, Direction direction);
  void CompareRequired(const Field& before, const Field& now, Direction direction);
  void CompareDefaults(const Field& before, const Field& now);
  void CompareOneofs(const Message& before, const Message& now, Direction direction);
  void CompareEnums(const Field& before, const Field& now, Direction direction);

  const Elements& before_;
  const Elements& now_;
  Collector& out_;
  std::set<std::tuple<const void*, const void*, Direction>> done_;
  std::set<const Message*> compared_;
  std::vector<Open> open_;
};

}  // namespace pinion::compat
