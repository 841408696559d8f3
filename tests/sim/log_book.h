// The access log of a run, line by line: each call has exactly one, and it says what the caller
// saw. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/access_log/ring.h"
#include "tests/testing/call_plan.h"

namespace pinion::sim {

class LogBook {
 public:
  // What a client sends so that its call's line is found: the trace id holds the call's.
  static std::string Traceparent(uint64_t call);

  // Takes the lines that are there.
  void Read(access_log::Ring& ring, std::vector<std::string>& findings);
  uint64_t lines() const { return lines_; }

  // Of a call that has ended. Nullopt: its line is as it should be.
  std::optional<std::string> Check(const testing::CallBook::Entry& entry) const;

 private:
  struct Line {
    int count = 0;
    std::string text;
  };

  void Take(absl::string_view line, std::vector<std::string>& findings);

  std::string rest_;  // not yet a whole line
  uint64_t lines_ = 0;
  std::map<uint64_t, Line> by_call_;
};

}  // namespace pinion::sim
