// How a call may end: just as planned, or otherwise with an excuse.
#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/upstream_limits.h"
#include "tests/sim/any_http2.h"
#include "tests/sim/checks.h"

namespace pinion::sim {
namespace {

using testing::AttemptRecord;
using testing::CallBook;
using testing::CallPlan;
using testing::CallRecord;
using testing::Metadata;
using testing::ResponsePlan;
using Kind = ResponsePlan::Kind;

constexpr int kDeadlineExceeded = 4;
constexpr int kUnavailable = 14;

// gRPC over HTTP/2, "Errors".
int StatusOfReset(http2::ErrorCode code) {
  switch (code) {
    case http2::ErrorCode::kRefusedStream:
      return 14;
    case http2::ErrorCode::kEnhanceYourCalm:
      return 8;
    case http2::ErrorCode::kInadequateSecurity:
      return 7;
    default:
      return 13;
  }
}

// gRPC, "HTTP to gRPC status code mapping".
int StatusOfHttp(int status) {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

void AppendStatus(const ResponsePlan& response, Metadata& metadata) {
  metadata.emplace_back("grpc-status", absl::StrCat(response.grpc_status));
  if (!response.grpc_message.empty()) metadata.emplace_back("grpc-message", response.grpc_message);
  metadata.insert(metadata.end(), response.trailers.begin(), response.trailers.end());
}

// Field order matters among equal names only; the engine moves others for HPACK's sake.
bool SameFields(Metadata a, Metadata b) {
  const auto by_name = [](const auto& x, const auto& y) { return x.first < y.first; };
  std::stable_sort(a.begin(), a.end(), by_name);
  std::stable_sort(b.begin(), b.end(), by_name);
  return a == b;
}

std::string Show(const Metadata& metadata) {
  std::string text;
  for (const auto& [name, value] : metadata) {
    absl::StrAppend(&text, " ", name, "=", value.substr(0, 40));
  }
  return text;
}

// The answer's first block: what the server sent, and the version once.
std::optional<std::string> HeadersDiffer(const CallBook::Entry& entry, const std::string& version,
                                         bool with_status) {
  Metadata expected = {{":status", "200"}, {"content-type", "application/grpc"}};
  const ResponsePlan& response = entry.plan.response;
  expected.insert(expected.end(), response.headers.begin(), response.headers.end());
  if (with_status) AppendStatus(response, expected);
  Metadata seen = entry.record.headers;
  const std::string* named = testing::FindField(seen, "api-version");
  if (named == nullptr || *named != version) return "the answer does not name its version";
  seen.erase(std::find_if(seen.begin(), seen.end(),
                          [](const auto& field) { return field.first == "api-version"; }));
  if (SameFields(seen, expected)) return std::nullopt;
  return absl::StrCat("headers differ:", Show(seen), " instead of", Show(expected));
}

std::optional<std::string> AnswerDiffers(const CallBook::Entry& entry, const std::string& version) {
  const CallRecord& record = entry.record;
  const ResponsePlan& response = entry.plan.response;
  const bool only = response.kind == Kind::kTrailersOnly;
  if (record.end != CallRecord::End::kStatus)
    return absl::StrCat("the client ", NameOf(record.end));
  if (auto differs = HeadersDiffer(entry, version, only)) return differs;
  if (only != record.trailers_only) return "Trailers-Only became something else, or the reverse";
  if (only) return std::nullopt;
  const std::string& body =
      response.kind == Kind::kEcho ? entry.plan.request.bytes : response.body.bytes;
  if (record.body != body) {
    return absl::StrCat("the answer has ", record.body.size(), " bytes instead of ", body.size());
  }
  Metadata trailers;
  AppendStatus(response, trailers);
  if (SameFields(record.trailers, trailers)) return std::nullopt;
  return absl::StrCat("trailers differ:", Show(record.trailers), " instead of", Show(trailers));
}

std::optional<std::string> ResetDiffers(const CallBook::Entry& entry) {
  const CallRecord& record = entry.record;
  const http2::ErrorCode code = entry.plan.response.reset_code;
  if (code == http2::ErrorCode::kCancel) {
    if (record.end == CallRecord::End::kReset && record.reset_code == code) return std::nullopt;
    return absl::StrCat("RST_STREAM(CANCEL) did not pass: the client ", NameOf(record.end));
  }
  if (!entry.plan.grpc && !entry.plan.response.reset_before_headers) return LateResetDiffers(entry);
  const int status = StatusOfReset(code);
  if (record.end == CallRecord::End::kStatus && record.grpc_status == status) return std::nullopt;
  return absl::StrCat("RST_STREAM(", http2::ErrorCodeName(code), ") should become ", status);
}

bool RefusedByItsTable(const CallBook::Entry& entry, const std::vector<Decision>& decisions) {
  const CallRecord& record = entry.record;
  return entry.attempts.empty() && record.trailers_only &&
         testing::FindField(record.trailers, "grpc-status-details-bin") != nullptr &&
         std::any_of(decisions.begin(), decisions.end(), [&](const Decision& decision) {
           return !decision.version && decision.refusal_code == record.grpc_status;
         });
}

// The policy retries what the server says to this attempt.
bool IsRetried(const Facts& facts, const CallPlan& plan, int attempt) {
  const auto& retry = facts.scenario->retry;
  const ResponsePlan& response = plan.response;
  if (!retry.has_value() || !plan.grpc) return false;
  if (attempt <= response.failing_attempts) return retry->codes.contains(response.failing_status);
  switch (response.kind) {
    case Kind::kTrailersOnly:
      return retry->codes.contains(response.grpc_status);
    case Kind::kHttpError:
      return retry->codes.contains(StatusOfHttp(response.http_status));
    default:
      return false;
  }
}

bool AnyTroubled(const Facts& facts, const std::vector<Decision>& decisions) {
  return std::any_of(decisions.begin(), decisions.end(), [&](const Decision& decision) {
    return decision.version.has_value() && facts.Troubled(*decision.version);
  });
}

// It got the failure of its last attempt, and no other attempt had to follow.
bool FailedForGood(const Facts& facts, const CallBook::Entry& entry,
                   const std::vector<Decision>& decisions) {
  const ResponsePlan& response = entry.plan.response;
  if (entry.attempts.empty() || entry.record.end != CallRecord::End::kStatus) return false;
  if (entry.attempts.back()->number > response.failing_attempts) return false;
  if (entry.record.grpc_status != response.failing_status) return false;
  const auto& retry = facts.scenario->retry;
  if (!retry.has_value() || !entry.plan.grpc) return true;
  if (!retry->codes.contains(response.failing_status)) return true;
  const std::string* pushback =
      testing::FindField(response.failing_trailers, "grpc-retry-pushback-ms");
  const bool forbidden = pushback != nullptr && (*pushback == "-1" || *pushback == "x");
  // Attempts that reached nobody count too.
  return forbidden || facts.retries_denied || AnyTroubled(facts, decisions) ||
         !entry.plan.timeout.empty() ||
         entry.attempts.size() >= static_cast<size_t>(retry->attempts_max) ||
         entry.plan.request.bytes.size() > limits::kRetryReplayBytesMax;
}

// Its pin moved away with a drain time, and that is over.
bool Drained(const Facts& facts, const CallBook::Entry& entry,
             const std::vector<Decision>& decisions) {
  const CallRecord& record = entry.record;
  if (!absl::StrContains(record.grpc_message, "time to drain is over")) return false;
  const Wanted& wanted = facts.calls.at(entry.plan.id)->wanted;
  return std::any_of(facts.tables.begin(), facts.tables.end(), [&](const auto& change) {
    const auto& [at, table] = change;
    const auto drain = table.drains.find(wanted.consumer);
    if (drain == table.drains.end() || record.ended < at + absl::Seconds(drain->second)) {
      return false;
    }
    const std::optional<size_t> now = Decide(facts.scenario->versions, table, wanted).version;
    return wanted.header.empty() &&
           std::any_of(decisions.begin(), decisions.end(),
                       [&](const Decision& before) { return before.version != now; });
  });
}

// Some instance was in every table that the call can have met, nothing ever happened to it, and it
// has not refused the call.
bool HadAGoodInstance(const Facts& facts, const CallBook::Entry& entry) {
  const std::vector<const TableState*> tables = facts.TablesFor(entry);
  const Scenario& scenario = *facts.scenario;
  for (size_t i = 0; i < scenario.instances.size(); ++i) {
    if (facts.troubled_instances.contains(i)) continue;
    if (std::any_of(entry.attempts.begin(), entry.attempts.end(), [&](const auto& attempt) {
          return attempt->uid == scenario.instances[i].uid;
        })) {
      continue;
    }
    const bool in_all = std::all_of(tables.begin(), tables.end(), [&](const TableState* table) {
      const Decision decision =
          Decide(scenario.versions, *table, facts.calls.at(entry.plan.id)->wanted);
      return table->instances.contains(i) && decision.version == scenario.instances[i].version;
    });
    if (in_all) return true;
  }
  return false;
}

// The answer's google.rpc.ErrorInfo names this reason.
bool HasReason(const CallRecord& record, absl::string_view reason) {
  const std::string* details = testing::FindField(record.trailers, "grpc-status-details-bin");
  std::string decoded;
  return details != nullptr && absl::Base64Unescape(*details, &decoded) &&
         absl::StrContains(decoded, reason);
}

bool MayBeUnavailable(const Facts& facts, const CallBook::Entry& entry,
                      const std::vector<Decision>& decisions) {
  const CallPlan& plan = entry.plan;
  if (plan.response.kind == Kind::kRefuse && plan.request.bytes.size() > limits::kReplayBytesMax) {
    return true;
  }
  // What never left the gateway is tried at each other instance first, unless its patience went
  // with waiting for a stream at one that takes none.
  if (!absl::StrContains(entry.record.grpc_message, "became free") &&
      (HasReason(entry.record, "UPSTREAM_CONNECT_FAILED") ||
       HasReason(entry.record, "NO_HEALTHY_INSTANCE")) &&
      HadAGoodInstance(facts, entry)) {
    return false;
  }
  const bool answered_in_peace =
      std::any_of(entry.attempts.begin(), entry.attempts.end(), [&](const auto& attempt) {
        return !IsRetried(facts, plan, attempt->number) &&
               attempt->end == AttemptRecord::End::kAnswered && !*attempt->connection_ended;
      });
  return !answered_in_peace && AnyTroubled(facts, decisions);
}

// What excuses an end that was not planned; null: nothing does.
const char* Excuse(const Facts& facts, const CallBook::Entry& entry,
                   const std::vector<Decision>& decisions) {
  const CallRecord& record = entry.record;
  const CallPlan& plan = entry.plan;
  const bool troubled_client = facts.troubled_clients.contains(facts.calls.at(plan.id)->client);
  // Above the last id of a GOAWAY: unseen, so the caller may try elsewhere.
  const bool unseen =
      record.reset_code == http2::ErrorCode::kRefusedStream && entry.attempts.empty();
  switch (record.end) {
    case CallRecord::End::kNone:
      return nullptr;
    case CallRecord::End::kCancelled:
      return plan.cancel_after.has_value() ? "cancelled" : nullptr;
    case CallRecord::End::kConnectionLost:
      // Other codes are faults that the client's engine found with the gateway.
      return troubled_client && (unseen || record.reset_code == http2::ErrorCode::kNoError ||
                                 record.reset_code == http2::ErrorCode::kInternalError)
                 ? "connection lost"
                 : nullptr;
    case CallRecord::End::kReset:
      // An error after the headers has no other way to say itself to who does not speak gRPC.
      if (!plan.grpc && record.reset_code == http2::ErrorCode::kInternalError) {
        const bool late = !plan.timeout.empty() && record.ended >= record.started + plan.deadline;
        const bool drains =
            std::any_of(facts.tables.begin(), facts.tables.end(),
                        [](const auto& change) { return !change.second.drains.empty(); });
        return late || drains || AnyTroubled(facts, decisions) ? "cut after the headers" : nullptr;
      }
      return troubled_client && unseen ? "above GOAWAY" : nullptr;
    case CallRecord::End::kStatus:
      break;
  }
  if (RefusedByItsTable(entry, decisions)) return "refused by its table";
  if (record.grpc_status == kDeadlineExceeded && !plan.timeout.empty()) {
    // A server's CANCEL so close to the deadline is the deadline, which that server kept itself.
    const bool cancels =
        plan.response.kind == Kind::kReset && plan.response.reset_code == http2::ErrorCode::kCancel;
    const absl::Duration early = cancels ? absl::Milliseconds(1) : absl::ZeroDuration();
    return record.ended >= record.started + plan.deadline - early ? "deadline" : nullptr;
  }
  if (FailedForGood(facts, entry, decisions)) return "failed as planned";
  if (Drained(facts, entry, decisions)) return "drained";
  return record.grpc_status == kUnavailable && MayBeUnavailable(facts, entry, decisions)
             ? "unavailable"
             : nullptr;
}

std::string HowItEnded(const CallRecord& record) {
  return absl::StrCat("; the client ", NameOf(record.end), ", status ", record.grpc_status, " ",
                      record.grpc_message, ", reset ", http2::ErrorCodeName(record.reset_code), " ",
                      record.detail);
}

// grpc-timeout as it reached the server: never more than what was left.
bool TimeoutHolds(const CallBook::Entry& entry, const AttemptRecord& attempt,
                  const std::string& value) {
  constexpr std::pair<char, absl::Duration> kUnits[] = {
      {'H', absl::Hours(1)},        {'M', absl::Minutes(1)},      {'S', absl::Seconds(1)},
      {'m', absl::Milliseconds(1)}, {'u', absl::Microseconds(1)}, {'n', absl::Nanoseconds(1)}};
  int64_t number;
  if (value.size() < 2 || value.size() > 9 ||
      !absl::SimpleAtoi(value.substr(0, value.size() - 1), &number)) {
    return false;
  }
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const auto& each) { return each.first == value.back(); });
  if (unit == std::end(kUnits)) return false;
  const absl::Duration left = number * unit->second;
  const absl::Duration spent = attempt.started - entry.record.started;
  return left <= entry.plan.deadline && left >= entry.plan.deadline - spent - absl::Seconds(1);
}

std::optional<std::string> RequestDiffers(const CallBook::Entry& entry,
                                          const AttemptRecord& attempt, int attempts_max) {
  const CallPlan& plan = entry.plan;
  if (attempt.path != plan.path || attempt.authority != "sim.example") {
    return absl::StrCat("path or authority changed: ", attempt.path, " ", attempt.authority);
  }
  Metadata expected = {{"content-type", plan.grpc ? "application/grpc" : "application/json"}};
  if (plan.grpc) expected.push_back({"te", "trailers"});
  Metadata seen = attempt.metadata;
  const auto timeout = std::find_if(seen.begin(), seen.end(),
                                    [](const auto& each) { return each.first == "grpc-timeout"; });
  if ((timeout != seen.end()) != !plan.timeout.empty()) return "grpc-timeout was lost or made up";
  if (timeout != seen.end()) {
    if (!TimeoutHolds(entry, attempt, timeout->second)) {
      return absl::StrCat("grpc-timeout ", plan.timeout, " became ", timeout->second);
    }
    seen.erase(timeout);
  }
  const auto previous = std::find_if(seen.begin(), seen.end(), [](const auto& each) {
    return each.first == "grpc-previous-rpc-attempts";
  });
  if (previous != seen.end()) {
    int count = 0;
    if (!absl::SimpleAtoi(previous->second, &count) || count < 1 || count >= attempts_max) {
      return absl::StrCat("attempt ", attempt.number, " counts ", previous->second, " before it");
    }
    seen.erase(previous);
  }
  expected.emplace_back(testing::kCallHeader, absl::StrCat(plan.id));
  // Of callers that sent none the gateway made one; that of others is in the plan's metadata.
  const auto traceparent = std::find_if(
      seen.begin(), seen.end(), [](const auto& each) { return each.first == "traceparent"; });
  if (traceparent == seen.end()) return "traceparent was lost";
  if (testing::FindField(plan.metadata, "traceparent") == nullptr) seen.erase(traceparent);
  for (const auto& field : plan.metadata) {
    if (field.first != "api-version") expected.push_back(field);
  }
  if (!SameFields(seen, expected)) {
    return absl::StrCat("request metadata differ:", Show(seen), " instead of", Show(expected));
  }
  if (attempt.request_ended && attempt.body != plan.request.bytes) {
    return absl::StrCat("the request ended after ", attempt.body.size(), " bytes");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> DiffersFromPlan(const CallBook::Entry& entry,
                                           const std::string& version) {
  switch (entry.plan.response.kind) {
    case Kind::kNeverAnswer:
      return "it ended although nobody answered";
    case Kind::kReset:
      return ResetDiffers(entry);
    case Kind::kHttpError: {
      if (!entry.plan.grpc) return HttpErrorDiffers(entry);
      const int status = StatusOfHttp(entry.plan.response.http_status);
      if (entry.record.trailers_only && entry.record.grpc_status == status) return std::nullopt;
      return absl::StrCat("HTTP ", entry.plan.response.http_status, " should become ", status);
    }
    default:
      return AnswerDiffers(entry, version);
  }
}

std::optional<std::string> CheckEnd(const Facts& facts, const CallBook::Entry& entry,
                                    std::string& how) {
  const CallRecord& record = entry.record;
  if (record.ends != 1) return absl::StrCat(Describe(entry), ": has ", record.ends, " ends");
  const std::vector<Decision> decisions = facts.DecisionsFor(entry);
  std::string why = "no server saw it";
  if (!entry.attempts.empty()) {
    const std::string& version = entry.attempts.back()->version;
    const bool routed = std::any_of(decisions.begin(), decisions.end(), [&](const Decision& each) {
      return each.version.has_value() && NameOf(facts.scenario->versions[*each.version]) == version;
    });
    if (!routed) return absl::StrCat(Describe(entry), ": went to ", version, ", against its table");
    const std::optional<std::string> differs = DiffersFromPlan(entry, version);
    if (!differs.has_value()) {
      how = "as planned";
      return std::nullopt;
    }
    why = *differs;
  }
  if (const char* excuse = Excuse(facts, entry, decisions); excuse != nullptr) {
    how = excuse;
    return std::nullopt;
  }
  return absl::StrCat(Describe(entry), ": ", why, HowItEnded(record));
}

std::optional<std::string> CheckAttempts(const Facts& facts, const CallBook::Entry& entry) {
  const auto& retry = facts.scenario->retry;
  const int attempts_max = retry.has_value() ? retry->attempts_max : 1;
  for (const auto& attempt : entry.attempts) {
    if (attempt->end == AttemptRecord::End::kNone) {
      return absl::StrCat(Describe(entry), ": still runs at ", attempt->uid);
    }
    if (auto differs = RequestDiffers(entry, *attempt, attempts_max)) {
      return absl::StrCat(Describe(entry), ": ", *differs);
    }
  }
  return std::nullopt;
}

}  // namespace pinion::sim
