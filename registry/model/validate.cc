#include "registry/model/validate.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "registry/model/address.h"
#include "registry/model/errors.h"
#include "registry/model/requirements.h"
#include "registry/version/names.h"
#include "registry/version/version_name.h"

namespace pinion::model {
namespace {

using routing::v1::Identity;

constexpr absl::Duration kMaxDrain = absl::Hours(24);

absl::Status Invalid(absl::string_view reason, std::string message) {
  return Refusal(absl::StatusCode::kInvalidArgument, reason, message);
}

absl::Status Malformed(const absl::Status& status) {
  return status.ok() ? status : WithReason(status, "NAME_MALFORMED");
}

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return false;
    if (i + length > text.size()) return false;
    for (size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool HasControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_iscntrl(c); });
}

}  // namespace

absl::Status ValidateIdentity(const Identity& identity) {
  switch (identity.identity_case()) {
    case Identity::kSpiffeUri:
      if (!absl::StartsWith(identity.spiffe_uri(), "spiffe://") ||
          !IsPrintable(identity.spiffe_uri())) {
        return Invalid("ARGUMENT_INVALID",
                       absl::StrCat("spiffe_uri '", identity.spiffe_uri(),
                                    "' is not of the form spiffe://domain/path"));
      }
      break;
    case Identity::kDnsSan:
      if (identity.dns_san().empty() || !IsPrintable(identity.dns_san())) {
        return Invalid("ARGUMENT_INVALID", "dns_san is not a DNS name");
      }
      break;
    case Identity::kJwt:
      if (identity.jwt().issuer().empty() || identity.jwt().subject().empty()) {
        return Invalid("ARGUMENT_INVALID", "a jwt identity needs both issuer and subject");
      }
      if (HasControl(identity.jwt().issuer()) || HasControl(identity.jwt().subject())) {
        return Invalid("ARGUMENT_INVALID",
                       "a jwt identity has a control character in its issuer or subject");
      }
      break;
    case Identity::kApiKeySha256: {
      const std::string& hex = identity.api_key_sha256();
      if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
        return Invalid("ARGUMENT_INVALID",
                       "api_key_sha256 must be 64 lower-case hexadecimal digits: the key's "
                       "SHA-256, not the key");
      }
      break;
    }
    case Identity::kTrustedHeader:
      if (identity.trusted_header().empty() || !IsPrintable(identity.trusted_header())) {
        return Invalid("ARGUMENT_INVALID",
                       "trusted_header must be the header's value, in visible ASCII characters");
      }
      break;
    case Identity::IDENTITY_NOT_SET:
      return Invalid("ARGUMENT_INVALID",
                     "an identity needs one of spiffe_uri, dns_san, jwt, api_key_sha256, "
                     "trusted_header");
  }
  if (identity.ByteSizeLong() > kMaxIdentityBytes) {
    return Invalid("ARGUMENT_INVALID",
                   absl::StrCat("an identity may have ", kMaxIdentityBytes, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status ValidateText(absl::string_view what, absl::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Invalid("ARGUMENT_INVALID",
                   absl::StrCat(what, " has ", text.size(), " bytes; at most ", max_bytes));
  }
  if (!IsUtf8(text)) return Invalid("ARGUMENT_INVALID", absl::StrCat(what, " is not UTF-8"));
  return absl::OkStatus();
}

absl::Status ValidateUnpinned(const routing::v1::UnpinnedPolicy& policy) {
  const std::string& channel =
      policy.has_pin_on_first_call() ? policy.pin_on_first_call().channel() : policy.channel();
  return channel.empty() ? absl::OkStatus() : Malformed(version::ValidateChannelName(channel));
}

absl::Status ValidateRetryPolicy(const routing::v1::RetryPolicy& policy) {
  const auto invalid = [](const char* what) { return Invalid("ARGUMENT_INVALID", what); };
  if (policy.max_attempts() < 2 || policy.max_attempts() > 5) {
    return invalid("retry_policy.max_attempts is 2 to 5, the first attempt included");
  }
  for (const auto& backoff : {policy.initial_backoff(), policy.max_backoff()}) {
    // It would be kept, and then fail to print as JSON.
    if (!IsDuration(backoff)) return invalid("a backoff of retry_policy is no duration");
    if (FromProto(backoff) < absl::ZeroDuration()) {
      return invalid("a backoff of retry_policy must not be negative");
    }
  }
  if (policy.backoff_multiplier() != 0 && !(policy.backoff_multiplier() >= 1)) {
    return invalid("retry_policy.backoff_multiplier is at least 1");
  }
  for (int code : policy.retryable_status_codes()) {
    if (code == routing::v1::RetryPolicy::OK || !routing::v1::RetryPolicy::Code_IsValid(code)) {
      return invalid(
          "retry_policy.retryable_status_codes are codes of failures, such as UNAVAILABLE");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateVersionFromPackage(routing::v1::Scheme scheme, bool version_from_package) {
  if (!version_from_package || scheme != routing::v1::DATE) return absl::OkStatus();
  return Invalid(
      "ARGUMENT_INVALID",
      "version_from_package asks for the version that a package such as acme.v2 names, "
      "which never is a date: it is for services of the schemes K8S, SEMVER and INTEGER");
}

absl::Status ValidateService(const routing::v1::Service& service) {
  RETURN_IF_ERROR(Malformed(version::ValidateServiceName(service.name())));
  if (!routing::v1::Scheme_IsValid(service.scheme()) ||
      service.scheme() == routing::v1::SCHEME_UNSPECIFIED) {
    return Invalid("ARGUMENT_INVALID",
                   absl::StrCat("service '", service.name(),
                                "' needs a scheme: SEMVER, DATE, K8S or INTEGER"));
  }
  RETURN_IF_ERROR(ValidateVersionFromPackage(service.scheme(), service.version_from_package()));
  if (!routing::v1::LoadBalancing_IsValid(service.load_balancing())) {
    return Invalid("ARGUMENT_INVALID", "load_balancing is not one that this registry knows");
  }
  if (service.has_retry_policy()) RETURN_IF_ERROR(ValidateRetryPolicy(service.retry_policy()));
  return ValidateUnpinned(service.unpinned());
}

absl::Status ValidateConsumer(const routing::v1::Consumer& consumer) {
  RETURN_IF_ERROR(Malformed(version::ValidateConsumerName(consumer.name())));
  if (!consumer.default_channel().empty()) {
    RETURN_IF_ERROR(Malformed(version::ValidateChannelName(consumer.default_channel())));
  }
  if (static_cast<size_t>(consumer.identities_size()) > kMaxIdentities) {
    return Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                   absl::StrCat("a consumer may have ", kMaxIdentities, " identities"));
  }
  for (const Identity& identity : consumer.identities())
    RETURN_IF_ERROR(ValidateIdentity(identity));
  return absl::OkStatus();
}

absl::Status ValidateInstance(const routing::v1::Instance& instance) {
  RETURN_IF_ERROR(Malformed(version::ValidateServiceName(instance.service())));
  if (instance.version().empty()) {
    return Invalid("ARGUMENT_INVALID", "an instance serves one version: name it");
  }
  if (!instance.uid().empty()) {
    return Invalid("ARGUMENT_INVALID", "uid is the registry's to give: leave it empty");
  }
  if (instance.weight() > 1'000'000) {
    return Invalid("ARGUMENT_INVALID", "weight must be at most 1000000");
  }
  if (!instance.tls_name().empty()) {
    const absl::Status name = CheckTlsName(instance.tls_name());
    if (!name.ok()) return Invalid("ARGUMENT_INVALID", absl::StrCat("tls_name ", name.message()));
  }
  RETURN_IF_ERROR(ValidateText("zone", instance.zone(), 128));
  const absl::Status address = CheckAddress(PartsOf(instance.address()), AddressUse::kRegister);
  return address.ok() ? address : WithReason(address, "ARGUMENT_INVALID");
}

absl::Status ValidateMethod(absl::string_view method) {
  if (method.empty()) return absl::OkStatus();
  const size_t slash = method.find('/', 1);
  const bool shaped = method[0] == '/' && slash != absl::string_view::npos && slash > 1 &&
                      slash + 1 < method.size() &&
                      method.find('/', slash + 1) == absl::string_view::npos;
  const bool plain = std::all_of(method.begin(), method.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '/';
  });
  if (shaped && plain && method.size() <= 512) return absl::OkStatus();
  return Invalid("NAME_MALFORMED",
                 absl::StrCat("method '", method, "' must be of the form /package.Service/Method"));
}

absl::Status ValidatePin(const routing::v1::Pin& pin) {
  RETURN_IF_ERROR(Malformed(version::ValidateConsumerName(pin.consumer())));
  RETURN_IF_ERROR(Malformed(version::ValidateServiceName(pin.service())));
  RETURN_IF_ERROR(ValidateMethod(pin.method()));
  return ValidateDrain(pin.drain());
}

absl::Status ValidateDrain(const google::protobuf::Duration& drain) {
  const absl::Duration duration = FromProto(drain);
  if (IsDuration(drain) && duration >= absl::ZeroDuration() && duration <= kMaxDrain) {
    return absl::OkStatus();
  }
  return Invalid("ARGUMENT_INVALID", "drain must be between 0 and 24 h");
}

absl::Status ValidateEntitlement(const routing::v1::Entitlement& entitlement) {
  RETURN_IF_ERROR(Malformed(version::ValidateConsumerName(entitlement.consumer())));
  return Malformed(version::ValidateServiceName(entitlement.service()));
}

absl::Status ValidatePublish(const registry::v1::PublishVersionRequest& request) {
  RETURN_IF_ERROR(Malformed(version::ValidateServiceName(request.service())));
  RETURN_IF_ERROR(ValidateText("notes", request.notes(), kMaxNotesBytes));
  RETURN_IF_ERROR(ValidateText("owner", request.owner(), kMaxActorBytes));
  RETURN_IF_ERROR(ValidateRequirements(request));
  if (static_cast<size_t>(request.metadata_size()) > kMaxMetadataEntries) {
    return Refusal(
        absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
        absl::StrCat("a version may have ", kMaxMetadataEntries, " entries of metadata"));
  }
  size_t bytes = 0;
  for (const auto& [name, value] : request.metadata()) {
    RETURN_IF_ERROR(ValidateText("metadata", name, kMaxMetadataBytes));
    RETURN_IF_ERROR(ValidateText("metadata", value, kMaxMetadataBytes));
    bytes += name.size() + value.size();
  }
  if (bytes > kMaxMetadataBytes) {
    return Refusal(absl::StatusCode::kResourceExhausted, "LIMIT_EXCEEDED",
                   absl::StrCat("a version's metadata may have ", kMaxMetadataBytes, " bytes"));
  }
  return absl::OkStatus();
}

absl::string_view GrpcServiceOf(absl::string_view method) {
  return method.substr(1, method.find('/', 1) - 1);
}

routing::v1::Scheme GuessScheme(absl::string_view version_name) {
  using routing::v1::Scheme;
  for (Scheme scheme : {routing::v1::INTEGER, routing::v1::SEMVER, routing::v1::DATE}) {
    if (version::VersionName::Parse(scheme, version_name).ok()) return scheme;
  }
  // Names of any other form are allowed under K8S too, but are no sign of it.
  const bool k8s = version_name.size() >= 2 && version_name[0] == 'v' &&
                   absl::ascii_isdigit(static_cast<unsigned char>(version_name[1])) &&
                   version::VersionName::Parse(routing::v1::K8S, version_name).ok();
  return k8s ? routing::v1::K8S : routing::v1::SCHEME_UNSPECIFIED;
}

}  // namespace pinion::model
