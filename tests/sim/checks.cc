#include "tests/sim/checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/http2/frame.h"
#include "gateway/limits.h"
#include "gateway/upstream_limits.h"

namespace pinion::sim {
namespace {

using testing::AttemptRecord;
using testing::CallBook;
using testing::CallRecord;
using testing::ResponsePlan;

uint32_t LargestWindow(const http2::Options& options) {
  return std::max(options.stream_window_bytes, options.stream_window_bytes_max);
}

// What is between two peers: the windows that the gateway keeps open towards the sender and that
// the receiver keeps open towards the gateway.
uint64_t Between(const http2::Options& gateway, uint32_t receiver_window) {
  return uint64_t{LargestWindow(gateway)} + receiver_window;
}

const char* KindName(ResponsePlan::Kind kind) {
  switch (kind) {
    case ResponsePlan::Kind::kNormal:
      return "normal";
    case ResponsePlan::Kind::kEcho:
      return "echo";
    case ResponsePlan::Kind::kTrailersOnly:
      return "trailers-only";
    case ResponsePlan::Kind::kReset:
      return "reset";
    case ResponsePlan::Kind::kRefuse:
      return "refused once";
    case ResponsePlan::Kind::kNeverAnswer:
      return "never answered";
    case ResponsePlan::Kind::kHttpError:
      return "HTTP error";
  }
  return "";
}

bool Seen(const AttemptRecord& attempt) { return attempt.end != AttemptRecord::End::kRefused; }

// An answer that is not gRPC is not held for the caller but read away, and the frame that is too
// much of it.
size_t ReadAwayMax(const ResponsePlan& response) {
  const bool foreign = response.kind == ResponsePlan::Kind::kHttpError;
  return foreign ? limits::kForeignAnswerBytesMax + http2::kDefaultMaxFrameBytes : 0;
}

}  // namespace

std::string Describe(const CallBook::Entry& entry) {
  const testing::CallPlan& plan = entry.plan;
  std::string text = absl::StrCat(
      "call ", plan.id, " (", KindName(plan.response.kind), ", ", plan.request.bytes.size(), " → ",
      plan.response.body.bytes.size(), " bytes",
      plan.timeout.empty() ? "" : absl::StrCat(", timeout ", plan.timeout),
      plan.cancel_after.has_value()
          ? absl::StrCat(", cancelled after ", absl::FormatDuration(*plan.cancel_after))
          : "",
      ")");
  for (const auto& attempt : entry.attempts) absl::StrAppend(&text, " at ", attempt->uid);
  return text;
}

std::vector<const TableState*> Facts::TablesFor(const CallBook::Entry& entry) const {
  const CallRecord& record = entry.record;
  absl::Time until = absl::InfiniteFuture();
  if (record.ends > 0) until = record.ended;
  if (!entry.attempts.empty()) until = entry.attempts.front()->started;
  std::vector<const TableState*> met;
  for (size_t i = 0; i < tables.size(); ++i) {
    const bool replaced_before = i + 1 < tables.size() && tables[i + 1].first < record.started;
    if (tables[i].first <= until && !replaced_before) met.push_back(&tables[i].second);
  }
  return met;
}

std::vector<Decision> Facts::DecisionsFor(const CallBook::Entry& entry) const {
  const Wanted& wanted = calls.at(entry.plan.id)->wanted;
  std::vector<Decision> decisions;
  for (const TableState* table : TablesFor(entry)) {
    decisions.push_back(Decide(scenario->versions, *table, wanted));
  }
  return decisions;
}

bool Facts::Troubled(size_t version) const {
  return std::any_of(troubled_instances.begin(), troubled_instances.end(), [&](size_t instance) {
    return scenario->instances[instance].version == version;
  });
}

void Watcher::AfterTurn(absl::Time now, std::vector<std::string>& findings) {
  for (auto call = running_.begin(); call != running_.end();) {
    CallBook::Entry& entry = *book_.Find(*call);
    if (!Check(entry, now, findings)) return;
    const bool over =
        entry.record.ends > 0 &&
        std::all_of(entry.attempts.begin(), entry.attempts.end(),
                    [](const auto& each) { return each->end != AttemptRecord::End::kNone; });
    call = over ? running_.erase(call) : std::next(call);
  }
}

bool Watcher::Check(CallBook::Entry& entry, absl::Time now, std::vector<std::string>& findings) {
  const CallRecord& record = entry.record;
  const auto find = [&](auto... what) {
    findings.push_back(absl::StrCat(Describe(entry), ": ", what...));
    return false;
  };
  if (record.ends > 1) return find("has ", record.ends, " ends");
  if (record.body_differs) return find("the answer's bytes differ from what was sent");
  const size_t seen = std::count_if(entry.attempts.begin(), entry.attempts.end(),
                                    [](const auto& attempt) { return Seen(*attempt); });
  const auto& retry = facts_.scenario->retry;
  const size_t seen_max = retry.has_value() ? static_cast<size_t>(retry->attempts_max) : 1;
  if (seen > seen_max) return find(seen, " attempts reached servers");
  if (entry.attempts.size() > seen_max + 1) return find("more than one retry unseen");
  for (const auto& attempt : entry.attempts) {
    if (attempt->body_differs) return find("the request's bytes differ from what was sent");
    if (attempt->version != entry.attempts.front()->version) return find("split over two versions");
    const size_t read_away = ReadAwayMax(entry.plan.response);
    if (attempt->response_bytes_sent > record.body.size() + read_away + ResponseBytesMax() &&
        record.ends == 0) {
      return find(attempt->response_bytes_sent - record.body.size(),
                  " bytes of the answer are held on their way");
    }
    if (record.request_bytes_sent > attempt->body.size() + RequestBytesMax() &&
        attempt->end == AttemptRecord::End::kNone) {
      return find(record.request_bytes_sent - attempt->body.size(),
                  " bytes of the request are held on their way");
    }
  }
  const bool late = !entry.plan.timeout.empty() && record.started != absl::InfinitePast() &&
                    now > record.started + entry.plan.deadline + kSlack;
  if (late && record.ends == 0) return find("still runs long after its deadline");
  return true;
}

size_t Watcher::ResponseBytesMax() const {
  uint32_t window = 0;
  for (const http2::Options& client : facts_.scenario->clients) {
    window = std::max(window, LargestWindow(client));
  }
  return Between(facts_.scenario->upstream, window);
}

size_t Watcher::RequestBytesMax() const {
  uint32_t window = 0;
  for (const InstanceSpec& instance : facts_.scenario->instances) {
    window = std::max(window, LargestWindow(instance.http2));
  }
  // What is kept for a second attempt was given back to the sender's window already.
  return Between(facts_.scenario->downstream, window) + (facts_.scenario->retry.has_value()
                                                             ? limits::kRetryReplayBytesMax
                                                             : limits::kReplayBytesMax);
}

}  // namespace pinion::sim
