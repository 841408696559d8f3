#include "registry/model/keys.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "registry/model/address.h"

namespace pinion::model {
namespace {

using routing::v1::Identity;

template <typename... Parts>
std::string Key(const char* first, const Parts&... parts) {
  std::string key = first;
  const char* separator = "";
  ((absl::StrAppend(&key, separator, parts), separator = "!"), ...);
  return key;
}

// Twenty digits sort as their number does.
std::string Padded(int64_t number) { return absl::StrFormat("%020d", number); }

}  // namespace

std::string ServiceKey(absl::string_view service) { return Key(kServices, service); }
std::string VersionKey(absl::string_view service, absl::string_view version) {
  return Key(kVersions, service, version);
}
std::string VersionsOf(absl::string_view service) {
  return Key(kVersions, service, absl::string_view());
}
std::string ChannelKey(absl::string_view service, absl::string_view channel) {
  return Key(kChannels, service, channel);
}
std::string ChannelsOf(absl::string_view service) {
  return Key(kChannels, service, absl::string_view());
}
std::string ResolutionsKey(absl::string_view service) { return Key(kResolutions, service); }
std::string InstanceKey(absl::string_view service, absl::string_view version,
                        absl::string_view uid) {
  return Key(kInstances, service, version, uid);
}
std::string InstancesOf(absl::string_view service, absl::string_view version) {
  if (service.empty()) return kInstances;
  if (version.empty()) return Key(kInstances, service, absl::string_view());
  return Key(kInstances, service, version, absl::string_view());
}
std::string ConsumerKey(absl::string_view consumer) { return Key(kConsumers, consumer); }
std::string PinKey(absl::string_view consumer, absl::string_view service,
                   absl::string_view method) {
  return Key(kPins, consumer, service, method);
}
std::string PinsOf(absl::string_view consumer, absl::string_view service) {
  if (consumer.empty()) return kPins;
  if (service.empty()) return Key(kPins, consumer, absl::string_view());
  return Key(kPins, consumer, service, absl::string_view());
}
std::string EntitlementKey(absl::string_view consumer, absl::string_view service) {
  return Key(kEntitlements, consumer, service);
}
std::string EntitlementsOf(absl::string_view consumer) {
  if (consumer.empty()) return kEntitlements;
  return Key(kEntitlements, consumer, absl::string_view());
}

std::string GrpcServiceKey(absl::string_view grpc_service) {
  return Key("records/grpc_service!", grpc_service);
}

std::string IdentityKey(const Identity& identity) {
  const std::string prefix = "records/identity!";
  switch (identity.identity_case()) {
    case Identity::kSpiffeUri:
      return absl::StrCat(prefix, "spiffe!", identity.spiffe_uri());
    case Identity::kDnsSan:
      return absl::StrCat(prefix, "dns!", absl::AsciiStrToLower(identity.dns_san()));
    case Identity::kJwt:
      // The length says where the issuer ends, which may hold any character.
      return absl::StrCat(prefix, "jwt!", identity.jwt().issuer().size(), "!",
                          identity.jwt().issuer(), "!", identity.jwt().subject());
    case Identity::kApiKeySha256:
      return absl::StrCat(prefix, "key!", absl::AsciiStrToLower(identity.api_key_sha256()));
    case Identity::kTrustedHeader:
      return absl::StrCat(prefix, "header!", identity.trusted_header());
    case Identity::IDENTITY_NOT_SET:
      break;
  }
  CHECK(!"an identity that was not validated");
  return "";
}

std::string InstanceUidKey(absl::string_view uid) { return Key("records/instance_uid!", uid); }
std::string EndpointKey(absl::string_view service, absl::string_view version,
                        const routing::v1::Address& address) {
  return Key("records/endpoint!", service, version, AddressText(address));
}
std::string PinChangesOf(absl::string_view consumer, absl::string_view service,
                         absl::string_view method) {
  return Key("records/pin_change!", consumer, service, method, absl::string_view());
}
std::string PinChangeKey(absl::string_view consumer, absl::string_view service,
                         absl::string_view method, int64_t sequence) {
  return PinChangesOf(consumer, service, method) + Padded(sequence);
}
std::string PinUseKey(absl::string_view service, absl::string_view expression,
                      absl::string_view consumer, absl::string_view method) {
  return Key("records/pin_use!", service, expression, consumer, method);
}
std::string PinUsesOf(absl::string_view service, absl::string_view expression) {
  if (expression.empty()) return Key("records/pin_use!", service, absl::string_view());
  return Key("records/pin_use!", service, expression, absl::string_view());
}
std::string AuditKey(absl::string_view id) { return Key(kAudit, id); }
std::string AuditHeadKey(int32_t chain) { return Key(kAuditHeads, absl::StrFormat("%04d", chain)); }
std::string HeldKey(absl::string_view id) { return Key(kHeld, id); }
std::string SunsetKey(int64_t seconds, absl::string_view service, absl::string_view version) {
  return Key(kSunsets, Padded(seconds), service, version);
}
std::string FreeingKey(absl::string_view service, absl::string_view version) {
  return Key(kFreeing, service, version);
}
std::string RollbackWindowsOf(absl::string_view service, absl::string_view version) {
  return Key("records/rollback_window!", service, version, absl::string_view());
}
std::string RollbackWindowKey(absl::string_view service, absl::string_view version,
                              absl::string_view consumer, absl::string_view method) {
  return Key("records/rollback_window!", service, version, consumer, method);
}
std::string RequirementsOn(absl::string_view required) {
  return Key("records/requirement!", required, absl::string_view());
}
std::string RequirementKey(absl::string_view required, absl::string_view service,
                           absl::string_view version) {
  return Key("records/requirement!", required, service, version);
}
std::string EntitledKey(absl::string_view service, absl::string_view consumer) {
  return Key("records/entitled!", service, consumer);
}
std::string EntitledOf(absl::string_view service) {
  return Key("records/entitled!", service, absl::string_view());
}
std::string UsageKey(int64_t hour, absl::string_view service, absl::string_view version) {
  return Key(kUsage, Padded(hour), service, version);
}
std::string UsageOf(int64_t hour, absl::string_view service) {
  if (service.empty()) return Key(kUsage, Padded(hour), absl::string_view());
  return Key(kUsage, Padded(hour), service, absl::string_view());
}
std::string GatewayKey(absl::string_view start_id) { return Key(kGateways, start_id); }
std::string GatewayLeaseKey(absl::string_view start_id) { return Key(kGatewayLeases, start_id); }
std::string BlobKey(absl::string_view sha256, int64_t part) {
  return BlobPartsOf(sha256) + Padded(part);
}
std::string BlobPartsOf(absl::string_view sha256) {
  return Key("records/blob!", sha256, absl::string_view());
}
std::string UnusedBlobKey(absl::string_view sha256) { return Key(kUnusedBlobs, sha256); }
std::string JobKey(int64_t id) { return Key(kJobs, Padded(id)); }
std::string JobDueKey(int64_t seconds, int64_t id) {
  return Key(kJobsDue, Padded(seconds), Padded(id));
}

std::string GrantKey(int role, absl::string_view name, absl::string_view subject) {
  return Key(kGrants, role, name, subject);
}
std::string TokenKey(absl::string_view name) { return Key(kTokens, name); }

std::optional<PinUse> ParsePinUse(absl::string_view key) {
  const std::vector<std::string> parts = absl::StrSplit(key, '!');
  if (parts.size() != 5) return std::nullopt;
  return PinUse{parts[3], parts[4]};
}

std::optional<VersionRef> ParseSunset(absl::string_view key) {
  const std::vector<std::string> parts = absl::StrSplit(key, '!');
  if (parts.size() != 4) return std::nullopt;
  return VersionRef{parts[2], parts[3]};
}

std::optional<VersionRef> ParseUsage(absl::string_view key) { return ParseSunset(key); }

std::optional<VersionRef> ParseFreeing(absl::string_view key) {
  const std::vector<std::string> parts = absl::StrSplit(key, '!');
  if (parts.size() != 3) return std::nullopt;
  return VersionRef{parts[1], parts[2]};
}

std::optional<int64_t> ParseJobDue(absl::string_view key) {
  const std::vector<std::string> parts = absl::StrSplit(key, '!');
  int64_t id = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[2], &id)) return std::nullopt;
  return id;
}

}  // namespace pinion::model
