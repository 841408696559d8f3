#include "registry/store/etcd_connection.h"

#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

// A member that takes longer is left for the next one, so that one that is stopped or cut off costs
// little of a call's time. Still far longer than a healthy one takes on a slow disk.
constexpr absl::Duration kAttempt = absl::Milliseconds(2'500);
// A member that has vanished is noticed after their sum. etcd takes pings every five seconds.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 3'000;
// How soon a member that was away is tried again.
constexpr int kReconnectMinMs = 100;
constexpr int kReconnectMaxMs = 1'000;
// A connection on a network that works takes far less; one that failed is tried again within.
constexpr absl::Duration kConnect = absl::Seconds(1);
constexpr absl::Duration kReconnect = absl::Milliseconds(250);
constexpr absl::Duration kRetryMin = absl::Milliseconds(20);
constexpr absl::Duration kRetryMax = absl::Milliseconds(500);
// How often Open() says what it waits for.
constexpr absl::Duration kSayAgain = absl::Seconds(5);
// Renewed certificates are read within.
constexpr unsigned int kReadFilesSeconds = 60;

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const EtcdOptions& options) {
  if (!options.use_tls) return grpc::InsecureChannelCredentials();
  namespace tls = grpc::experimental;
  const EtcdTls& files = options.tls;
  tls::TlsChannelCredentialsOptions credentials;
  if (files.ca.empty() && files.certificate.empty()) return tls::TlsCredentials(credentials);
  credentials.set_certificate_provider(std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.ca, kReadFilesSeconds));
  if (!files.ca.empty()) credentials.watch_root_certs();
  if (!files.certificate.empty()) credentials.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(credentials);
}

grpc::ChannelArguments ChannelArgumentsOf() {
  grpc::ChannelArguments arguments;
  // A page of records, or a watch that catches up, is as large as it is; etcd bounds what it sends.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMinMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Whether to ask again is decided here alone.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

// "3.4.23" → whether it is 3.4 or later.
bool IsNewEnough(const std::string& version) {
  const std::vector<std::string> parts = absl::StrSplit(version, '.');
  int major = 0;
  int minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor)) {
    return true;  // some build of somebody's own
  }
  return major > 3 || (major == 3 && minor >= 4);
}

// gRPC counts in its own clock.
gpr_timespec ToGpr(absl::Duration left) {
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_millis(std::max<int64_t>(1, absl::ToInt64Milliseconds(left)), GPR_TIMESPAN));
}

bool MayPass(EtcdFate fate) { return fate == EtcdFate::kUnknown || fate == EtcdFate::kNotDone; }

}  // namespace

EtcdConnection::EtcdConnection(const EtcdOptions& options, const Clock& clock)
    : options_(options), clock_(clock) {
  const std::shared_ptr<grpc::ChannelCredentials> credentials = CredentialsOf(options_);
  for (const std::string& endpoint : options_.endpoints) {
    auto member = std::make_unique<EtcdMember>();
    member->endpoint = endpoint;
    member->channel = grpc::CreateCustomChannel(endpoint, credentials, ChannelArgumentsOf());
    member->kv = etcdserverpb::KV::NewStub(member->channel);
    member->watch = etcdserverpb::Watch::NewStub(member->channel);
    member->lease = etcdserverpb::Lease::NewStub(member->channel);
    member->maintenance = etcdserverpb::Maintenance::NewStub(member->channel);
    member->auth = etcdserverpb::Auth::NewStub(member->channel);
    members_.push_back(std::move(member));
  }
}

absl::StatusOr<std::unique_ptr<EtcdConnection>> EtcdConnection::Open(const EtcdOptions& options,
                                                                     const Clock& clock) {
  if (options.endpoints.empty()) return absl::InvalidArgumentError("etcd without endpoints");
  if (options.prefix.empty() || options.prefix.size() > kMaxEtcdPrefixBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("etcd's prefix must have 1 to ", kMaxEtcdPrefixBytes, " bytes"));
  }
  std::unique_ptr<EtcdConnection> connection(new EtcdConnection(options, clock));
  const absl::Time give_up = clock.Monotonic() + options.open_timeout;
  absl::Time say_at = clock.Monotonic() + kSayAgain;
  for (int attempts = 0;; ++attempts) {
    const EtcdVerdict verdict = connection->Check();
    if (verdict.fate == EtcdFate::kDone) return connection;
    if (!MayPass(verdict.fate)) return verdict.status;
    if (options.stop_opening != nullptr && options.stop_opening()) {
      return absl::CancelledError(
          absl::StrCat("stopped while it waited for etcd: ", verdict.status.message()));
    }
    if (!connection->WaitBeforeRetry(attempts, give_up)) {
      return absl::UnavailableError(absl::StrCat("no etcd that can serve at ",
                                                 absl::StrJoin(options.endpoints, ", "), " within ",
                                                 absl::FormatDuration(options.open_timeout),
                                                 "; the last word: ", verdict.status.message()));
    }
    if (clock.Monotonic() < say_at) continue;
    log::Warning("store", absl::StrCat("waiting for etcd: ", verdict.status.message()));
    say_at = clock.Monotonic() + kSayAgain;
  }
}

EtcdVerdict EtcdConnection::Check() {
  const EtcdDeadline deadline = clock_.Monotonic() + kAttempt;
  // Every member that answers must be of the same cluster, and new enough.
  EtcdVerdict last;
  bool one_serves = false;
  for (const auto& member : members_) {
    EtcdVerdict verdict = CheckMember(*member, deadline);
    if (verdict.fate == EtcdFate::kRefused) return verdict;
    if (verdict.fate == EtcdFate::kDone) {
      one_serves = true;
    } else {
      Leave(*member);
      last = std::move(verdict);
    }
  }
  if (!one_serves) return last;
  etcdserverpb::RangeRequest request;
  request.set_key(options_.prefix);
  request.set_count_only(true);
  etcdserverpb::RangeResponse response;
  return Try(EtcdCall(&EtcdMember::kv, &etcdserverpb::KV::Stub::Range, request, response),
             deadline);
}

EtcdVerdict EtcdConnection::CheckMember(const EtcdMember& member, EtcdDeadline deadline) {
  etcdserverpb::StatusResponse response;
  const etcdserverpb::StatusRequest request;
  EtcdVerdict verdict =
      Attempt(member,
              EtcdCall(&EtcdMember::maintenance, &etcdserverpb::Maintenance::Stub::Status, request,
                       response),
              deadline);
  if (MayPass(verdict.fate) && IsTlsError(verdict.status)) {
    return {EtcdFate::kRefused, absl::FailedPreconditionError(verdict.status.message())};
  }
  if (verdict.fate == EtcdFate::kDone && !IsNewEnough(response.version())) {
    return {EtcdFate::kRefused, absl::FailedPreconditionError(absl::StrCat(
                                    "etcd ", member.endpoint, " is ", response.version(),
                                    ": the oldest that will do is 3.4"))};
  }
  return verdict;
}

absl::Status EtcdConnection::Observe(const EtcdMember& member,
                                     const etcdserverpb::ResponseHeader& header) {
  if (header.cluster_id() != 0) {
    uint64_t expected = 0;
    if (!cluster_.compare_exchange_strong(expected, header.cluster_id()) &&
        expected != header.cluster_id()) {
      return absl::FailedPreconditionError(
          absl::StrCat("etcd ", member.endpoint, " is a member of another cluster (",
                       absl::Hex(header.cluster_id()), ") than the others (", absl::Hex(expected),
                       "): correct registry.store.etcd.endpoints"));
    }
  }
  Revision seen = newest_.load(std::memory_order_relaxed);
  while (seen < header.revision() &&
         !newest_.compare_exchange_weak(seen, header.revision(), std::memory_order_release)) {
  }
  return absl::OkStatus();
}

EtcdVerdict EtcdConnection::Authenticate(const EtcdMember& member, EtcdDeadline deadline) {
  AwaitConnection(member, deadline);
  grpc::ClientContext context;
  context.set_deadline(ToGpr(deadline - clock_.Monotonic()));
  etcdserverpb::AuthenticateRequest request;
  request.set_name(options_.username);
  request.set_password(options_.password);
  etcdserverpb::AuthenticateResponse response;
  EtcdVerdict verdict =
      JudgeEtcd(member.auth->Authenticate(&context, request, &response), member.endpoint);
  if (verdict.fate == EtcdFate::kDone) {
    MutexLock lock(&mutex_);
    token_ = response.token();
  }
  return verdict;
}

void EtcdConnection::AwaitConnection(const EtcdMember& member, EtcdDeadline deadline) const {
  const auto within = [this, deadline](absl::Duration patience) {
    return ToGpr(std::min(deadline - clock_.Monotonic(), patience));
  };
  grpc_connectivity_state state = member.channel->GetState(/*try_to_connect=*/true);
  // A failure from before may be over; one that comes now is what the call will be told.
  if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    if (!member.channel->WaitForStateChange(state, within(kReconnect))) return;
    state = member.channel->GetState(true);
  }
  while (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING) {
    if (!member.channel->WaitForStateChange(state, within(kConnect))) return;
    state = member.channel->GetState(true);
  }
}

EtcdVerdict EtcdConnection::Attempt(const EtcdMember& member, const EtcdRpc& rpc,
                                    EtcdDeadline deadline) {
  if (!options_.username.empty() && Token().empty()) {
    EtcdVerdict verdict = Authenticate(member, deadline);
    // Nothing was asked yet, so nothing can have happened.
    if (verdict.fate == EtcdFate::kUnknown) verdict.fate = EtcdFate::kNotDone;
    if (verdict.fate != EtcdFate::kDone) return verdict;
  }
  AwaitConnection(member, deadline);
  grpc::ClientContext context;
  context.set_deadline(ToGpr(deadline - clock_.Monotonic()));
  if (const std::string token = Token(); !token.empty()) context.AddMetadata("token", token);
  etcdserverpb::ResponseHeader header;
  EtcdVerdict verdict = JudgeEtcd(rpc(member, context, header), member.endpoint);
  if (verdict.fate == EtcdFate::kStaleToken) ForgetToken();
  if (verdict.fate != EtcdFate::kDone) return verdict;
  if (absl::Status status = Observe(member, header); !status.ok()) {
    return {EtcdFate::kRefused, std::move(status)};
  }
  return verdict;
}

EtcdVerdict EtcdConnection::Try(const EtcdRpc& rpc, EtcdDeadline deadline) {
  const EtcdMember& member = *members_[current_.load()];
  const EtcdDeadline soon = std::min(deadline, clock_.Monotonic() + kAttempt);
  EtcdVerdict verdict = Attempt(member, rpc, soon);
  // Tokens end when they are not used for some minutes, and when users change.
  if (verdict.fate == EtcdFate::kStaleToken && !options_.username.empty()) {
    verdict = Attempt(member, rpc, soon);
  }
  if (MayPass(verdict.fate)) Leave(member);
  return verdict;
}

absl::Status EtcdConnection::Repeat(const EtcdRpc& rpc, EtcdDeadline deadline) {
  for (int attempts = 0;; ++attempts) {
    const EtcdVerdict verdict = Try(rpc, deadline);
    if (!MayPass(verdict.fate) || !WaitBeforeRetry(attempts, deadline)) return verdict.status;
  }
}

EtcdDeadline EtcdConnection::Deadline() const {
  return clock_.Monotonic() + options_.request_timeout;
}

bool EtcdConnection::WaitBeforeRetry(int attempts, EtcdDeadline deadline) {
  // The first failures cost nothing when another member is there.
  if (static_cast<size_t>(attempts) + 1 < members_.size()) return clock_.Monotonic() < deadline;
  const absl::Duration wait =
      std::min(kRetryMax, kRetryMin * static_cast<double>(1 << std::min(attempts, 10)));
  if (clock_.Monotonic() + wait >= deadline) return false;
  MutexLock lock(&mutex_);
  never_.WaitFor(&mutex_, wait);
  return true;
}

const EtcdMember& EtcdConnection::Current(grpc::ClientContext& context) {
  const EtcdMember& member = *members_[current_.load()];
  if (!options_.username.empty() && Token().empty()) {
    Authenticate(member, clock_.Monotonic() + kAttempt);
  }
  AwaitConnection(member, clock_.Monotonic() + kAttempt);
  if (const std::string token = Token(); !token.empty()) context.AddMetadata("token", token);
  return member;
}

void EtcdConnection::Leave(const EtcdMember& member) {
  size_t index = current_.load();
  // Whoever comes second leaves it to the first.
  if (members_[index].get() == &member) {
    current_.compare_exchange_strong(index, (index + 1) % members_.size());
  }
}

void EtcdConnection::ForgetToken() {
  MutexLock lock(&mutex_);
  token_.clear();
}

std::string EtcdConnection::Token() const {
  MutexLock lock(&mutex_);
  return token_;
}

}  // namespace pinion::store
