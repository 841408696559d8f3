#include "registry/store/etcd_errors.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pinion::store {
namespace {

// etcd's messages are a part of its API: its own clients tell its errors apart by them.
struct Known {
  absl::string_view part;
  EtcdFate fate;
  absl::StatusCode code;
  absl::string_view advice;  // empty: the message says it all
};
constexpr Known kKnown[] = {
    {"has been compacted", EtcdFate::kRefused, absl::StatusCode::kOutOfRange, ""},
    {"is a future revision", EtcdFate::kRefused, absl::StatusCode::kOutOfRange, ""},
    {"requested lease not found", EtcdFate::kRefused, absl::StatusCode::kNotFound, ""},
    {"lease already exists", EtcdFate::kRefused, absl::StatusCode::kAlreadyExists, ""},
    {"database space exceeded", EtcdFate::kRefused, absl::StatusCode::kResourceExhausted,
     "etcd's quota is used up: compact, `etcdctl defrag`, then `etcdctl alarm disarm`"},
    {"request is too large", EtcdFate::kRefused, absl::StatusCode::kInvalidArgument,
     "start etcd with its default --max-request-bytes or more"},
    {"too many operations in txn", EtcdFate::kRefused, absl::StatusCode::kInvalidArgument,
     "start etcd with its default --max-txn-ops or more"},
    {"too many requests", EtcdFate::kNotDone, absl::StatusCode::kUnavailable, ""},
    {"no leader", EtcdFate::kNotDone, absl::StatusCode::kUnavailable, ""},
    {"not capable", EtcdFate::kNotDone, absl::StatusCode::kUnavailable, ""},
    {"invalid auth token", EtcdFate::kStaleToken, absl::StatusCode::kUnauthenticated, ""},
    {"revision in header is old", EtcdFate::kStaleToken, absl::StatusCode::kUnauthenticated, ""},
    {"user name is empty", EtcdFate::kRefused, absl::StatusCode::kUnauthenticated,
     "etcd wants to know who asks: set registry.store.etcd.username and password_file, or give a "
     "client certificate"},
    {"invalid user ID or password", EtcdFate::kRefused, absl::StatusCode::kUnauthenticated,
     "correct registry.store.etcd.username or what password_file holds"},
    {"permission denied", EtcdFate::kRefused, absl::StatusCode::kPermissionDenied,
     "grant the user's role readwrite on registry.store.etcd.prefix with `etcdctl role "
     "grant-permission ROLE --prefix=true readwrite PREFIX`"},
    {"authentication is not enabled", EtcdFate::kRefused, absl::StatusCode::kFailedPrecondition,
     "take username and password_file out, or run `etcdctl auth enable`"},
};

// What gRPC says of a call for which there was no connection.
constexpr char kNeverSent[] = "failed to connect to all addresses";
// And of a handshake that failed, as against one that was broken off.
constexpr char kTlsError[] = "SSL_ERROR";

// Why a TLS connection does not come about; a person has to mend it.
absl::string_view TlsAdvice(const std::string& message) {
  if (absl::StrContains(message, "certificate verify failed")) {
    return "; its certificate is not of an authority in registry.store.etcd.tls.trusted_ca, has "
           "expired, or is for another name";
  }
  if (absl::StrContains(message, "wrong version number")) {
    return "; it does not speak TLS: take registry.store.etcd.tls out";
  }
  if (absl::StrContains(message, kTlsError)) {
    return "; see that registry.store.etcd.tls has the authority and the client certificate that "
           "etcd wants, and that none has expired";
  }
  return "";
}

}  // namespace

bool IsTlsError(const absl::Status& status) {
  return absl::StrContains(status.message(), kTlsError);
}

EtcdVerdict JudgeEtcd(const grpc::Status& status, const std::string& endpoint) {
  if (status.ok()) return {EtcdFate::kDone, absl::OkStatus()};
  const std::string message = absl::StrCat("etcd ", endpoint, ": ", status.error_message());
  if (absl::StrContains(status.error_message(), kNeverSent)) {
    return {EtcdFate::kNotDone,
            absl::UnavailableError(absl::StrCat(message, TlsAdvice(status.error_message())))};
  }
  for (const Known& known : kKnown) {
    if (!absl::StrContains(status.error_message(), known.part)) continue;
    const absl::string_view separator = known.advice.empty() ? "" : "; ";
    return {known.fate, absl::Status(known.code, absl::StrCat(message, separator, known.advice))};
  }
  switch (status.error_code()) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {EtcdFate::kUnknown,
              absl::UnavailableError(absl::StrCat("etcd ", endpoint, " did not answer in time"))};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {EtcdFate::kRefused,
              absl::FailedPreconditionError(absl::StrCat(
                  message, "; this is no etcd, or one older than 3.4, the oldest that will do"))};
    case grpc::StatusCode::UNAUTHENTICATED:
      return {EtcdFate::kStaleToken, absl::UnauthenticatedError(message)};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {EtcdFate::kRefused,
              absl::Status(static_cast<absl::StatusCode>(status.error_code()), message)};
    default:
      // Also what etcd itself calls unavailable: "request timed out" is said of what may be carried
      // out later.
      return {EtcdFate::kUnknown, absl::UnavailableError(message)};
  }
}

}  // namespace pinion::store
