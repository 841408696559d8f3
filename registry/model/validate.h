// Which objects are well-formed, as far as one can tell from the object alone. InvalidArgument says
// what is wrong and what to write instead, with the reason of registry.proto. Pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

// Bounds on what one request may say, so that each change fits the store's transactions.
inline constexpr size_t kMaxIdentities = 32;       // each is a claim, 128 operations a transaction
inline constexpr size_t kMaxGrpcServices = 64;     // the same
inline constexpr size_t kMaxIdentityBytes = 2048;  // a SPIFFE id's own limit
inline constexpr size_t kMaxNotesBytes = 64 * 1024;
inline constexpr size_t kMaxDescriptionBytes = 4 * 1024;
inline constexpr size_t kMaxReasonBytes = 1024;
inline constexpr size_t kMaxMetadataEntries = 64;
inline constexpr size_t kMaxMetadataBytes = 16 * 1024;
inline constexpr size_t kMaxActorBytes = 256;
// Of one service: every gateway holds them all, and makes its map of them anew when one changes.
inline constexpr int64_t kMaxEntitlements = 10'000;
// Of one service, over all of its versions: a gateway has 65,535 numbers for them, of which pins
// take some for methods that no version has.
inline constexpr size_t kMaxMethods = 60'000;

// As it is to be kept.
absl::Status ValidateService(const routing::v1::Service& service);
// Whether a service of this scheme can take its version from the package of its methods.
absl::Status ValidateVersionFromPackage(routing::v1::Scheme scheme, bool version_from_package);
absl::Status ValidateIdentity(const routing::v1::Identity& identity);
absl::Status ValidateConsumer(const routing::v1::Consumer& consumer);
// Service, version and address; not the uid.
absl::Status ValidateInstance(const routing::v1::Instance& instance);
// Empty, or /pkg.Service/Method.
absl::Status ValidateMethod(absl::string_view method);
// Names and drain; the expression needs the service's scheme.
absl::Status ValidatePin(const routing::v1::Pin& pin);
// How soon streams on another version end, as in Pin.
absl::Status ValidateDrain(const google::protobuf::Duration& drain);
// Names; the expression needs the service's scheme.
absl::Status ValidateEntitlement(const routing::v1::Entitlement& entitlement);
absl::Status ValidateUnpinned(const routing::v1::UnpinnedPolicy& policy);
absl::Status ValidateRetryPolicy(const routing::v1::RetryPolicy& policy);
// Sizes, and that the texts are UTF-8.
absl::Status ValidatePublish(const registry::v1::PublishVersionRequest& request);
// `what` names the field in the message.
absl::Status ValidateText(absl::string_view what, absl::string_view text, size_t max_bytes);

// The gRPC service of /pkg.Service/Method. REQUIRES: a valid method, not empty.
absl::string_view GrpcServiceOf(absl::string_view method);

// The scheme whose names look like `version_name`; Unspecified if none does.
routing::v1::Scheme GuessScheme(absl::string_view version_name);

}  // namespace pinion::model
