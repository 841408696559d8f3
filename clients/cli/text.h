// Values of the registry's API as people read and write them. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::cli {

// "2026-11-23 09:43:12Z", UTC.
std::string TimeText(absl::Time time);
// The same; empty for no time.
std::string TimeText(const google::protobuf::Timestamp& time);

// A day, "2027-03-01", which begins at midnight UTC, or a moment as RFC 3339 has it:
// "2027-03-01T09:00:00Z", "2027-03-01T09:00:00+01:00". A usage error otherwise, naming `flag`.
absl::StatusOr<google::protobuf::Timestamp> ParseTime(absl::string_view flag,
                                                      absl::string_view text);

// "10m"; empty for none.
std::string DurationText(const google::protobuf::Duration& duration);

// Of base/address.h; what that refuses is a usage error.
absl::StatusOr<routing::v1::Address> ReadAddress(absl::string_view text, AddressUse use);

// "SEMVER", or empty for none.
std::string SchemeText(routing::v1::Scheme scheme);

// "channel:stable", "pin-on-first-call:stable" or "reject".
std::string UnpinnedText(const routing::v1::UnpinnedPolicy& policy);
absl::StatusOr<routing::v1::UnpinnedPolicy> ParseUnpinned(absl::string_view text);

// "none", "3", "3:ABORTED,UNAVAILABLE": attempts and the codes that are retried. Parsing "none"
// gives an empty policy.
std::string RetryText(const routing::v1::RetryPolicy& policy);
absl::StatusOr<routing::v1::RetryPolicy> ParseRetry(absl::string_view text);

// "ledger ^2", "db/people >=2" or "ledger=^2". A usage error otherwise, naming `flag`; whether the
// service and the expression are any is the registry's to say.
absl::StatusOr<registry::v1::Requirement> ParseRequirement(absl::string_view flag,
                                                           absl::string_view text);

// "warn", which is also the default.
std::string VerificationText(registry::v1::Service::Verification verification);
registry::v1::Service::Verification ParseVerification(absl::string_view text);

// The first digits of a digest, enough to compare by eye.
std::string ShortDigest(const std::string& digest);

// `text` as one word of a shell line, quoted where that is needed.
std::string ShellWord(absl::string_view text);

// "moved ^1: 1.0.0 → 1.1.0 (12 pins)\n" for each.
std::string MovedText(
    const google::protobuf::RepeatedPtrField<registry::v1::MovedExpression>& moved);

}  // namespace pinion::cli
