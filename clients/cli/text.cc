#include "clients/cli/text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/counted.h"
#include "base/proto_duration.h"
#include "clients/cli/flags.h"

namespace pinion::cli {
namespace {

constexpr char kDefaultChannel[] = "stable";

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return TimeText(absl::FromUnixSeconds(time.seconds()));
}

absl::StatusOr<google::protobuf::Timestamp> ParseTime(absl::string_view flag,
                                                      absl::string_view text) {
  constexpr size_t kDay = 10;  // 2027-03-01
  const char* format = text.size() == kDay ? "%Y-%m-%d" : absl::RFC3339_sec;
  absl::Time time;
  std::string problem;
  // ParseTime also takes "infinite-future" and years of any length.
  const bool dashes = text.size() >= kDay && text[4] == '-' && text[7] == '-';
  if (!dashes || !absl::ParseTime(format, text, &time, &problem)) {
    return UsageError(absl::StrCat(flag, " \"", text,
                                   "\" is no time: write a day such as 2027-03-01, which begins "
                                   "at midnight UTC, or a moment such as 2027-03-01T09:00:00Z"));
  }
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(time));
  return timestamp;
}

std::string DurationText(const google::protobuf::Duration& duration) {
  const absl::Duration value = FromProto(duration);
  return value == absl::ZeroDuration() ? "" : absl::FormatDuration(value);
}

absl::StatusOr<routing::v1::Address> ReadAddress(absl::string_view text, AddressUse use) {
  absl::StatusOr<AddressParts> parts = ParseAddress(text, use);
  if (!parts.ok()) return UsageError(parts.status().message());
  routing::v1::Address address;
  if (parts->path.has_value()) {
    address.mutable_pipe()->set_path(*std::move(parts->path));
  } else {
    address.mutable_socket_address()->set_address(std::move(parts->host));
    address.mutable_socket_address()->set_port_value(parts->port);
  }
  return address;
}

std::string SchemeText(routing::v1::Scheme scheme) {
  return scheme == routing::v1::SCHEME_UNSPECIFIED ? "" : routing::v1::Scheme_Name(scheme);
}

std::string UnpinnedText(const routing::v1::UnpinnedPolicy& policy) {
  const auto channel = [](const std::string& name) {
    return name.empty() ? kDefaultChannel : name;
  };
  if (policy.has_reject()) return "reject";
  if (policy.has_pin_on_first_call()) {
    return absl::StrCat("pin-on-first-call:", channel(policy.pin_on_first_call().channel()));
  }
  return absl::StrCat("channel:", channel(policy.channel()));
}

absl::StatusOr<routing::v1::UnpinnedPolicy> ParseUnpinned(absl::string_view text) {
  routing::v1::UnpinnedPolicy policy;
  absl::string_view rest = text;
  if (text == "reject") {
    policy.mutable_reject();
  } else if (absl::ConsumePrefix(&rest, "pin-on-first-call")) {
    absl::ConsumePrefix(&rest, ":");
    policy.mutable_pin_on_first_call()->set_channel(std::string(rest));
  } else if (absl::ConsumePrefix(&rest, "channel:") && !rest.empty()) {
    policy.set_channel(std::string(rest));
  } else {
    return UsageError(absl::StrCat("\"", text,
                                   "\" is no policy for calls without a pin: write channel:NAME, "
                                   "pin-on-first-call[:NAME] or reject"));
  }
  return policy;
}

std::string RetryText(const routing::v1::RetryPolicy& policy) {
  if (policy.max_attempts() == 0) return "none";
  std::string text = absl::StrCat(policy.max_attempts());
  for (int i = 0; i < policy.retryable_status_codes_size(); ++i) {
    absl::StrAppend(&text, i == 0 ? ":" : ",",
                    routing::v1::RetryPolicy::Code_Name(policy.retryable_status_codes(i)));
  }
  return text;
}

absl::StatusOr<routing::v1::RetryPolicy> ParseRetry(absl::string_view text) {
  routing::v1::RetryPolicy policy;
  if (text == "none") return policy;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  uint32_t attempts = 0;
  bool good = absl::SimpleAtoi(parts.first, &attempts) && attempts > 0;
  policy.set_max_attempts(attempts);
  for (absl::string_view name : absl::StrSplit(parts.second, ',', absl::SkipEmpty())) {
    routing::v1::RetryPolicy::Code code;
    good = good && routing::v1::RetryPolicy::Code_Parse(std::string(name), &code);
    if (good) policy.add_retryable_status_codes(code);
  }
  if (good) return policy;
  return UsageError(absl::StrCat("\"", text,
                                 "\" is no retry policy: write none, or the attempts of a call and "
                                 "the codes that are retried, such as 3:UNAVAILABLE,ABORTED"));
}

absl::StatusOr<registry::v1::Requirement> ParseRequirement(absl::string_view flag,
                                                           absl::string_view text) {
  const size_t end = std::min(text.find_first_of(" =<>^~"), text.size());
  absl::string_view expression = text.substr(end);
  if (!absl::ConsumePrefix(&expression, "=")) absl::ConsumePrefix(&expression, " ");
  expression = absl::StripAsciiWhitespace(expression);
  if (end == 0 || expression.empty()) {
    return UsageError(
        absl::StrCat(flag, " \"", text,
                     "\": write the service and what is needed of it, such as 'ledger "
                     "^2' or 'db/people >=2'"));
  }
  registry::v1::Requirement requirement;
  requirement.set_service(std::string(text.substr(0, end)));
  requirement.set_expression(std::string(expression));
  return requirement;
}

std::string VerificationText(registry::v1::Service::Verification verification) {
  if (verification == registry::v1::Service::VERIFICATION_UNSPECIFIED) return "warn";
  return absl::AsciiStrToLower(registry::v1::Service::Verification_Name(verification));
}

registry::v1::Service::Verification ParseVerification(absl::string_view text) {
  registry::v1::Service::Verification verification =
      registry::v1::Service::VERIFICATION_UNSPECIFIED;
  registry::v1::Service::Verification_Parse(absl::AsciiStrToUpper(text), &verification);
  return verification;
}

std::string ShortDigest(const std::string& digest) { return digest.substr(0, 12); }

std::string ShellWord(absl::string_view text) {
  constexpr absl::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@,+=%";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return std::string(text);
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string MovedText(
    const google::protobuf::RepeatedPtrField<registry::v1::MovedExpression>& moved) {
  std::string text;
  for (const registry::v1::MovedExpression& one : moved) {
    absl::StrAppend(&text, "moved ", one.expression(), ": ",
                    one.old_version().empty() ? "nothing" : one.old_version(), " → ",
                    one.new_version().empty() ? "nothing" : one.new_version(), " (",
                    Counted(one.consumers(), "pin"), ")\n");
  }
  return text;
}

}  // namespace pinion::cli
