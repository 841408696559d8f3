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

#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "registry/compat/collector.h"
#include "registry/compat/elements.h"
#include "registry/compat/number_ranges.h"

namespace pinion::compat {

enum class Direction { kRequest, kResponse };

// "old clients send string, the new server reads bytes".
std::string Travels(absl::string_view before, absl::string_view now, Direction direction);

// Two types of which protobuf brings one along: what its bytes mean is more than their structure.
// google.protobuf.Empty has none, and stands for any message without fields; the wrappers are no
// more than their one field.
bool MeansSomethingElse(const Message& before, const Message& now);

// What one comparison may cost: a step for each field, value and reserved range of two types that
// meet, and some for the meeting. Where each type meets one other, a set of 16 MiB takes some two
// million. But a circle of p types beside one of q meets in p·q pairs, which a few megabytes make
// go on for hours.
inline constexpr size_t kMaxSteps = 8'000'000;
inline constexpr size_t kStepsOfPair = 16;

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

  // It would have cost more than kMaxSteps: what was found is not all.
  bool is_too_large() const { return steps_ > kMaxSteps; }

  // Every old message that was compared so far.
  bool has_compared(const Message& before) const { return compared_.contains(&before); }

 private:
  struct Open {
    const Message* before;
    const Message* now;
    Direction direction;
  };

  // False: too large.
  bool Spend(size_t steps);
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
  size_t steps_ = 0;
  absl::flat_hash_set<std::tuple<const void*, const void*, Direction>> done_;
  absl::flat_hash_set<const Message*> compared_;
  std::vector<Open> open_;
};

}  // namespace pinion::compat
