// Where each record stands in the store. Parts of a key are separated by '!', which no name, method
// or expression contains; only the last part may be free text. Pure.
//
//   routing/…, what gateways watch, the API's objects:
//     service!S         Service          instance!S!V!U       Instance
//     version!S!V       VersionRecord    consumer!C           Consumer
//     channel!S!N       Channel          pin!C!S!M            Pin
//     resolutions!S     Resolutions        entitlement!C!S      Entitlement
//
//   records/…, everything else:
//     registry          RegistryIdentity    grpc_service!G       Claim
//     instance_uid!U    InstanceRef         identity!KIND!VALUE  Claim
//     pin_change!C!S!M!N  PinChange         endpoint!S!V!ADDRESS InstanceRef
//     pin_use!S!E!C!M   empty: who pins E   blob!SHA256!N        a part of a descriptor set
//     blob_unused!SHA256  Timestamp: since when no version may have that descriptor set
//     audit!ID          AuditRecord         sunset!T!S!V         empty: when V is to be sunset
//     rollback_window!S!V!C!M  RollbackWindow   freeing!S!V      empty: V is retired, and what it
//                                                                held is to be freed
//     job!N               JobRecord         job_due!T!N          empty: N has not ended, and may
//                                                                run from T on
//     requirement!R!S!V RequirementUse: live V of S requires a version of R
//     entitled!S!C      empty: C has an entitlement for S
//     usage!HOUR!S!V    UsageRecord         gateway!START        GatewayRecord
//                                           gateway_lease!START  empty, with a lease: it is heard
//     audit_head!CHAIN  AuditHead           audit_trim           AuditTrim
//     format            StoreFormat         restoring            Restoring
//     held!ID           HeldRevision, with a lease
//     claim!TASK        who of several registries does the task, with a lease
//     access              AccessState         grant!ROLE!N!SUBJECT Grant
//     token!N             TokenRecord
//
// pin_use stands beside each pin, so that the consumers of an expression can be counted and named
// without a counter that all of them would contend for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

inline constexpr char kEveryKey[] = "r";  // prefix
inline constexpr char kRoutingPrefix[] = "routing/";
inline constexpr char kServices[] = "routing/service!";
inline constexpr char kVersions[] = "routing/version!";
inline constexpr char kChannels[] = "routing/channel!";
inline constexpr char kResolutions[] = "routing/resolutions!";
inline constexpr char kInstances[] = "routing/instance!";
inline constexpr char kConsumers[] = "routing/consumer!";
inline constexpr char kPins[] = "routing/pin!";
inline constexpr char kEntitlements[] = "routing/entitlement!";
inline constexpr char kAudit[] = "records/audit!";
inline constexpr char kAuditHeads[] = "records/audit_head!";
inline constexpr char kAuditTrimKey[] = "records/audit_trim";
inline constexpr char kFormatKey[] = "records/format";
inline constexpr char kRestoringKey[] = "records/restoring";
inline constexpr char kHeld[] = "records/held!";
inline constexpr char kSunsets[] = "records/sunset!";
inline constexpr char kFreeing[] = "records/freeing!";
inline constexpr char kJobs[] = "records/job!";
inline constexpr char kJobsDue[] = "records/job_due!";
inline constexpr char kUsage[] = "records/usage!";
inline constexpr char kGateways[] = "records/gateway!";
inline constexpr char kGatewayLeases[] = "records/gateway_lease!";
inline constexpr char kInstanceChecksClaim[] = "records/claim!instance_checks";
inline constexpr char kAccessKey[] = "records/access";
inline constexpr char kGrants[] = "records/grant!";
inline constexpr char kTokens[] = "records/token!";
inline constexpr char kRegistryKey[] = "records/registry";
inline constexpr char kUnusedBlobs[] = "records/blob_unused!";

// Names are validated before they come here.
std::string ServiceKey(absl::string_view service);
std::string VersionKey(absl::string_view service, absl::string_view version);
std::string VersionsOf(absl::string_view service);  // prefix
std::string ChannelKey(absl::string_view service, absl::string_view channel);
std::string ChannelsOf(absl::string_view service);  // prefix
std::string ResolutionsKey(absl::string_view service);
std::string InstanceKey(absl::string_view service, absl::string_view version,
                        absl::string_view uid);
std::string InstancesOf(absl::string_view service,
                        absl::string_view version);  // prefix; of all if empty
std::string ConsumerKey(absl::string_view consumer);
std::string PinKey(absl::string_view consumer, absl::string_view service, absl::string_view method);
std::string PinsOf(absl::string_view consumer,
                   absl::string_view service);  // prefix; of all if empty
std::string EntitlementKey(absl::string_view consumer, absl::string_view service);
std::string EntitlementsOf(absl::string_view consumer);  // prefix; of all if empty

std::string GrpcServiceKey(absl::string_view grpc_service);
// REQUIRES: a valid identity. Equal for identities that are the same, however they are written.
std::string IdentityKey(const routing::v1::Identity& identity);
std::string InstanceUidKey(absl::string_view uid);
std::string EndpointKey(absl::string_view service, absl::string_view version,
                        const routing::v1::Address& address);
std::string PinChangeKey(absl::string_view consumer, absl::string_view service,
                         absl::string_view method, int64_t sequence);
std::string PinChangesOf(absl::string_view consumer, absl::string_view service,
                         absl::string_view method);  // prefix
std::string PinUseKey(absl::string_view service, absl::string_view expression,
                      absl::string_view consumer, absl::string_view method);
std::string PinUsesOf(absl::string_view service,
                      absl::string_view expression);  // prefix; of all if empty
std::string AuditKey(absl::string_view id);
std::string AuditHeadKey(int32_t chain);
std::string HeldKey(absl::string_view id);
// By time, in seconds since the epoch, which is not negative.
std::string SunsetKey(int64_t seconds, absl::string_view service, absl::string_view version);
std::string FreeingKey(absl::string_view service, absl::string_view version);
std::string RollbackWindowKey(absl::string_view service, absl::string_view version,
                              absl::string_view consumer, absl::string_view method);
std::string RollbackWindowsOf(absl::string_view service, absl::string_view version);  // prefix
std::string RequirementKey(absl::string_view required, absl::string_view service,
                           absl::string_view version);
std::string RequirementsOn(absl::string_view required);  // prefix
std::string EntitledKey(absl::string_view service, absl::string_view consumer);
std::string EntitledOf(absl::string_view service);  // prefix
// `hour`: since the epoch, not negative.
std::string UsageKey(int64_t hour, absl::string_view service, absl::string_view version);
std::string UsageOf(int64_t hour, absl::string_view service);  // prefix; of all if empty
std::string GatewayKey(absl::string_view start_id);
std::string GatewayLeaseKey(absl::string_view start_id);
std::string BlobKey(absl::string_view sha256, int64_t part);
std::string BlobPartsOf(absl::string_view sha256);  // prefix
std::string UnusedBlobKey(absl::string_view sha256);
std::string JobKey(int64_t id);
// By time, in seconds since the epoch, which is not negative.
std::string JobDueKey(int64_t seconds, int64_t id);
// `role`: its number.
std::string GrantKey(int role, absl::string_view name, absl::string_view subject);
std::string TokenKey(absl::string_view name);

// The method of a key under PinUsesOf() or PinsOf(), and its consumer: what pin_use keys are read
// for.
struct PinUse {
  std::string consumer;
  std::string method;

  friend bool operator==(const PinUse&, const PinUse&) = default;
};
// Nullopt: PinUseKey has not made `key`.
std::optional<PinUse> ParsePinUse(absl::string_view key);

// The version that a key is about.
struct VersionRef {
  std::string service;
  std::string version;

  friend bool operator==(const VersionRef&, const VersionRef&) = default;
};
// Nullopt: SunsetKey, FreeingKey, or UsageKey, has not made `key`.
std::optional<VersionRef> ParseSunset(absl::string_view key);
std::optional<VersionRef> ParseFreeing(absl::string_view key);
std::optional<VersionRef> ParseUsage(absl::string_view key);

// The job of a key; nullopt: JobDueKey has not made it.
std::optional<int64_t> ParseJobDue(absl::string_view key);

}  // namespace pinion::model
