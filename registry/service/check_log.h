// What the registry's log says of instances that were found otherwise than before: one of them in
// its own words, many by their number with some examples, and never more lines than an operator can
// read. A service that has just spoken waits; what waits is said together. Time comes from outside.
// Owned by FindingRecorder; not thread-safe.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "pinion/registry/v1/registry.pb.h"
#include "registry/model/instance_checks.h"

namespace pinion::service {

class CheckLog {
 public:
  // A service speaks once in this time, and so do all beyond kServicesMax.
  static constexpr absl::Duration kWindow = absl::Seconds(10);
  static constexpr size_t kServicesMax = 10;
  static constexpr size_t kExamplesMax = 3;

  struct Line {
    bool warning = false;
    std::string text;
  };

  // `after` is an instance that was `before`. Nothing, if it gets calls as before and its verdict
  // is the same.
  void Add(const registry::v1::InstanceCheck& before, const registry::v1::Instance& after);

  // What is to be said now.
  std::vector<Line> Take(absl::Time now);
  // All that waits.
  std::vector<Line> TakeAll();
  // When Take() has something; InfiniteFuture: nothing waits.
  absl::Time NextDue(absl::Time now) const;

 private:
  // What is told together.
  struct Kind {
    model::Verdict verdict = registry::v1::InstanceCheck::VERDICT_UNSPECIFIED;
    bool held_back = false;
    bool warning = false;
    auto operator<=>(const Kind&) const = default;
  };
  struct Group {
    size_t count = 0;
    std::string message;                // of the first
    std::vector<std::string> examples;  // "1.0.0 127.0.0.1:9001"
  };
  using Groups = std::map<Kind, Group>;

  bool MaySpeak(const std::string& service) const;
  static std::string Words(const Kind& kind);
  static Line LineOf(const std::string& service, const Kind& kind, const Group& group);
  // A line for all services that wait.
  Line Summary() const;

  std::map<std::string, Groups> waiting_;  // by service; none is empty
  absl::Time window_begin_ = absl::InfinitePast();
  std::set<std::string> spoken_;  // in this window
};

}  // namespace pinion::service
