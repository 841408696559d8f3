#include "registry/model/lifecycle.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "registry/model/errors.h"
#include "registry/model/validate.h"

namespace pinion::model {
namespace {

using google::protobuf::Timestamp;
using routing::v1::Version;

// 9999-12-31T23:59:59Z, where google.protobuf.Timestamp ends.
constexpr int64_t kLastSecond = 253'402'300'799;

absl::Status Invalid(const Version& version, std::string message) {
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID", message,
                 {{"service", version.service()}, {"version", version.name()}});
}

// Whether there is anything in use whose state could change.
absl::Status CheckLives(const Version& version) {
  const Metadata metadata = {{"service", version.service()}, {"version", version.name()}};
  if (version.state() == routing::v1::RETIRED) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_RETIRED",
                   absl::StrCat(VersionText(version),
                                " is retired, which is for good; publish its schema again under a "
                                "new version's name"),
                   metadata);
  }
  if (version.state() == routing::v1::PUBLISHED) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "VERSION_NOT_ACTIVE",
                   absl::StrCat(VersionText(version),
                                " is published and was never active: nobody uses it yet, so there "
                                "is nothing to announce or to take back"),
                   metadata);
  }
  return absl::OkStatus();
}

}  // namespace

bool CanBeChosen(routing::v1::VersionState state) {
  return state == routing::v1::ACTIVE || state == routing::v1::DEPRECATED;
}

bool HasEnded(routing::v1::VersionState state) {
  return state == routing::v1::SUNSET || state == routing::v1::RETIRED;
}

std::string VersionText(const Version& version) {
  return absl::StrCat(version.service(), " ", version.name());
}

std::string UtcText(const Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

absl::Status ValidateLink(absl::string_view link) {
  if (link.empty()) return absl::OkStatus();
  const bool http = absl::StartsWith(link, "https://") || absl::StartsWith(link, "http://");
  const bool clean = std::all_of(link.begin(), link.end(), [](unsigned char c) {
    return absl::ascii_isgraph(c) && c != '<' && c != '>' && c != '"';
  });
  if (http && clean && link.size() <= kMaxLinkBytes) return absl::OkStatus();
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                 absl::StrCat("the link is no http or https URL of at most ", kMaxLinkBytes,
                              " visible ASCII characters; percent-encode the others"));
}

absl::Status ValidateDeprecate(const registry::v1::DeprecateVersionRequest& request) {
  RETURN_IF_ERROR(ValidateLink(request.link()));
  RETURN_IF_ERROR(ValidateText("reason", request.reason(), kMaxReasonBytes));
  const Timestamp& sunset = request.sunset_time();
  const bool is_time = sunset.seconds() >= 0 && sunset.seconds() <= kLastSecond &&
                       sunset.nanos() >= 0 && sunset.nanos() < 1'000'000'000;
  if (is_time) return absl::OkStatus();
  return Refusal(absl::StatusCode::kInvalidArgument, "ARGUMENT_INVALID",
                 "sunset_time is no time between 1970 and 9999");
}

absl::StatusOr<Version> Activate(const Version& version) {
  Version after = version;
  after.set_state(routing::v1::ACTIVE);
  if (version.state() == routing::v1::PUBLISHED || version.state() == routing::v1::ACTIVE) {
    return after;
  }
  RETURN_IF_ERROR(CheckLives(version));
  return Refusal(
      absl::StatusCode::kFailedPrecondition, "VERSION_WAS_ACTIVE",
      absl::StrCat(VersionText(version),
                   " was active already, and is deprecated; to take that back: `pinion version "
                   "reactivate ",
                   VersionText(version), "`"),
      {{"service", version.service()}, {"version", version.name()}});
}

absl::StatusOr<Version> Deprecate(const Version& version,
                                  const registry::v1::DeprecateVersionRequest& request,
                                  const Timestamp& now) {
  RETURN_IF_ERROR(CheckLives(version));
  Version after = version;
  routing::v1::Deprecation& deprecation = *after.mutable_deprecation();
  if (request.has_successor()) deprecation.set_successor(request.successor());
  if (request.has_link()) deprecation.set_link(request.link());
  if (version.state() == routing::v1::ACTIVE) {
    deprecation.mutable_time()->set_seconds(now.seconds());
  }
  if (request.has_sunset_time()) {
    if (request.sunset_time().seconds() <= now.seconds()) {
      return Invalid(version,
                     absl::StrCat("the sunset of ", VersionText(version), ", ",
                                  UtcText(request.sunset_time()), ", is not in the future: it is ",
                                  UtcText(now), " now; give a later time, or none"));
    }
    // RFC 8594, and gateways insist. The time of the deprecation is of another replica's clock.
    if (request.sunset_time().seconds() < deprecation.time().seconds()) {
      return Invalid(version,
                     absl::StrCat("the sunset of ", VersionText(version), ", ",
                                  UtcText(request.sunset_time()), ", is before its deprecation, ",
                                  UtcText(deprecation.time()), "; give that time or a later one"));
    }
    deprecation.mutable_sunset_time()->set_seconds(request.sunset_time().seconds());
  }
  // Who postpones a sunset that has come takes it back.
  const bool postponed = version.state() == routing::v1::SUNSET && request.has_sunset_time();
  if (version.state() == routing::v1::ACTIVE || postponed) after.set_state(routing::v1::DEPRECATED);
  return after;
}

absl::StatusOr<Version> Reactivate(const Version& version) {
  RETURN_IF_ERROR(CheckLives(version));
  Version after = version;
  after.set_state(routing::v1::ACTIVE);
  after.clear_deprecation();
  return after;
}

absl::Status CheckSuccessor(const Version& version, const std::string& successor,
                            const std::vector<Version>& all) {
  const auto find = [&all](const std::string& name) {
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const Version& v) { return v.name() == name; });
    return it == all.end() ? nullptr : &*it;
  };
  if (successor == version.name()) {
    return Invalid(version, absl::StrCat(VersionText(version), " cannot succeed itself"));
  }
  const Version* next = find(successor);
  if (next != nullptr && HasEnded(next->state())) {
    return Invalid(
        version,
        absl::StrCat(VersionText(*next), " is ",
                     next->state() == routing::v1::RETIRED ? "retired" : "past its sunset",
                     " and cannot succeed ", version.name(), "; name one that calls can go to"));
  }
  // Each version is passed once at most, even in a circle that somebody else has closed.
  for (size_t i = 0; next != nullptr && i < all.size(); ++i) {
    const std::string& after = next->deprecation().successor();
    if (after == version.name()) {
      return Invalid(version, absl::StrCat(VersionText(*next), " names ", version.name(),
                                           " as its own successor; a succession must not go round "
                                           "in circles"));
    }
    next = after.empty() ? nullptr : find(after);
  }
  return absl::OkStatus();
}

}  // namespace pinion::model
