#include "tests/sim/log_book.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tests/sim/checks.h"

namespace pinion::sim {
namespace {

using testing::CallBook;
using testing::CallRecord;

// The value of a JSON member of a flat object whose texts hold no quotes; empty: it has none.
absl::string_view Member(absl::string_view line, absl::string_view name) {
  const std::string key = absl::StrCat("\"", name, "\":");
  const size_t at = line.find(key);
  if (at == line.npos) return {};
  absl::string_view value = line.substr(at + key.size());
  if (absl::ConsumePrefix(&value, "\"")) return value.substr(0, value.find('"'));
  return value.substr(0, value.find_first_of(",}"));
}

}  // namespace

std::string LogBook::Traceparent(uint64_t call) {
  return absl::StrFormat("00-%032x-%016x-01", call + 1, call + 1);
}

void LogBook::Read(access_log::Ring& ring, std::vector<std::string>& findings) {
  for (absl::string_view front = ring.Front(); !front.empty(); front = ring.Front()) {
    absl::StrAppend(&rest_, front);
    ring.Consume(front.size());
  }
  size_t begin = 0;
  for (size_t end; (end = rest_.find('\n', begin)) != rest_.npos; begin = end + 1) {
    Take(absl::string_view(rest_).substr(begin, end - begin), findings);
  }
  rest_.erase(0, begin);
}

void LogBook::Take(absl::string_view line, std::vector<std::string>& findings) {
  ++lines_;
  uint64_t id = 0;
  if (!absl::SimpleHexAtoi(Member(line, "trace_id"), &id) || id == 0) {
    return findings.push_back(absl::StrCat("a log line without its trace: ", line));
  }
  Line& mine = by_call_[id - 1];
  if (++mine.count > 1) findings.push_back(absl::StrCat("a second log line: ", line));
  mine.text = std::string(line);
}

std::optional<std::string> LogBook::Check(const CallBook::Entry& entry) const {
  const CallRecord& record = entry.record;
  const auto found = by_call_.find(entry.plan.id);
  if (found == by_call_.end()) {
    // Never reached the gateway, or broke HTTP/2's rules before it was a call.
    const bool whole = record.end == CallRecord::End::kStatus;
    if (!whole && entry.attempts.empty()) return std::nullopt;
    return absl::StrCat(Describe(entry), " has no log line");
  }
  const absl::string_view line = found->second.text;
  const auto differs = [&](absl::string_view what) {
    return absl::StrCat(Describe(entry), ": ", what, " in ", line);
  };
  const absl::string_view status = Member(line, "grpc_status");
  if (entry.plan.grpc && record.end == CallRecord::End::kStatus &&
      status != absl::StrCat(record.grpc_status)) {
    return differs(absl::StrCat("the caller saw grpc-status ", record.grpc_status));
  }
  if (record.end == CallRecord::End::kReset && Member(line, "reset_by").empty()) {
    return differs("the caller saw a reset");
  }
  // The last attempt may have been lost on its way: then the one before is the last that was seen.
  size_t attempts = 0;
  const bool all_seen =
      absl::SimpleAtoi(Member(line, "attempts"), &attempts) && attempts == entry.attempts.size();
  if (!entry.attempts.empty()) {
    if (all_seen && Member(line, "instance") != entry.attempts.back()->uid) {
      return differs("another instance got the call");
    }
    if (Member(line, "version") != entry.attempts.back()->version) {
      return differs("another version got the call");
    }
  }
  return std::nullopt;
}

}  // namespace pinion::sim
