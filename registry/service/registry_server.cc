#include "registry/service/registry_server.h"

#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/address.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "registry/schema/schema.h"
#include "registry/service/access_service.h"
#include "registry/service/call_counts.h"
#include "registry/service/grpc_call_counter.h"
#include "registry/service/grpc_services.h"
#include "registry/service/registry.h"
#include "registry/service/server_tls.h"
#include "registry/store/measured_store.h"

namespace pinion::service {
namespace {

// A descriptor set at its limit, and what comes with it.
constexpr int kMaxMessageBytes = static_cast<int>(schema::kMaxDescriptorSetBytes) + (1 << 20);

// Clients that ask as often as this are well-behaved; gRPC's own bound of five minutes would cut
// off a gateway that notices a vanished registry in time.
constexpr absl::Duration kClientPingInterval = absl::Seconds(10);
// A gateway has one watch, a few schemas and a proposal under way; a command one call.
constexpr int kMaxStreamsPerConnection = 100;
// Each watch and each call that runs has a thread. Watches are bounded below this
// (WatchOptions::subscriptions_max), so that calls always find one.
constexpr int kMaxThreads = 2048;

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// What one client, or many, or one that has vanished, can make the server hold.
void SetBounds(const RegistryServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.SetResourceQuota(grpc::ResourceQuota("registry").SetMaxThreads(kMaxThreads));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_time));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // 0: as many as it takes, also while nothing else is to be sent.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(kClientPingInterval));
}

// Files that are made while it lives are this user's alone. The mask is the process's: sockets are
// bound before there is another thread that makes files for others.
class PrivateFiles {
 public:
  PrivateFiles() : before_(umask(0177)) {}
  ~PrivateFiles() { umask(before_); }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

 private:
  const mode_t before_;
};

constexpr char kUnix[] = "unix:";

// gRPC speaks to standard error by itself; what it says of an address is said better by the status
// that Start() returns.
void QuietGrpc() {
  gpr_set_log_function([](gpr_log_func_args* args) { log::Debug("grpc", args->message); });
}

// gRPC does not say why.
absl::Status CannotListen(const RegistryServerOptions& options) {
  std::string why = "it is in use by another process, or this user may not bind it";
  for (const absl::string_view socket :
       {absl::StripPrefix(options.address, kUnix), absl::string_view(options.local_socket)}) {
    const std::filesystem::path directory =
        std::filesystem::path(std::string(socket)).parent_path();
    std::error_code error;
    if (directory.empty() || std::filesystem::is_directory(directory, error)) continue;
    why = absl::StrCat("there is no directory ", directory.native());
  }
  return absl::UnavailableError(absl::StrCat(
      "the registry cannot listen on ", options.address,
      options.local_socket.empty() ? "" : absl::StrCat(" and ", options.local_socket), ": ", why));
}

}  // namespace

absl::Status CheckListenAddress(const RegistryServerOptions& options) {
  // Port 0 is for a server, and a path for other processes.
  ASSIGN_OR_RETURN(const AddressParts parts, ParseAddress(options.address, AddressUse::kEither));
  if (parts.path.has_value()) RETURN_IF_ERROR(CheckAddress(parts, AddressUse::kRegister));
  if (options.insecure || IsLocalAddress(parts)) return absl::OkStatus();
  if (options.tls.has_value() && options.access.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "registry address ", options.address, " can be reached from other machines, and ",
      options.access.has_value() ? "credentials would be sent unencrypted"
                                 : "nobody is authenticated",
      ": set registry.tls and registry.access, listen on a Unix socket or on loopback, or set "
      "insecure: true"));
}

struct RegistryServer::Parts {
  CallCounts calls;
  std::unique_ptr<store::MeasuredStore> store;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Gatekeeper> gatekeeper;  // null: everybody may do everything
  std::unique_ptr<WatchHub> hub;
  std::unique_ptr<Housekeeper> housekeeper;
  std::unique_ptr<probe::InstanceProbe> probe;
  std::unique_ptr<InstanceChecker> checker;
  std::unique_ptr<grpc::Service> registry_service;
  std::unique_ptr<grpc::Service> watch_service;
  std::unique_ptr<grpc::Service> access_service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  std::string local_socket;
  int port = 0;

  // Builds the server and serves. Unavailable: one of the addresses cannot be bound.
  absl::Status Listen(const RegistryServerOptions& options);
};

absl::Status RegistryServer::Parts::Listen(const RegistryServerOptions& options) {
  const bool is_socket = absl::StartsWith(options.address, kUnix);
  grpc::ServerBuilder builder;
  // Otherwise a second process binds the same port silently and gets half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  SetBounds(options, builder);
  builder.AddListeningPort(GrpcTarget(options.address),
                           options.tls.has_value() && !is_socket
                               ? TlsCredentialsOf(*options.tls)
                               : grpc::InsecureServerCredentials(),
                           &port);
  int local_port = 1;
  if (!options.local_socket.empty()) {
    builder.AddListeningPort(absl::StrCat(kUnix, options.local_socket),
                             grpc::InsecureServerCredentials(), &local_port);
  }
  builder.RegisterService(registry_service.get());
  builder.RegisterService(watch_service.get());
  builder.RegisterService(access_service.get());
  builder.experimental().SetInterceptorCreators(CountCallsInto(calls));
  {
    // Who may open a socket may change every pin.
    const PrivateFiles private_sockets;
    server = builder.BuildAndStart();
  }
  if (server == nullptr || port == 0 || local_port == 0) {
    return CannotListen(options);
  }
  local_socket = options.local_socket;
  address = options.address;
  if (is_socket) {
    port = 0;
  } else {
    address = absl::StrCat(options.address.substr(0, options.address.rfind(':')), ":", port);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RegistryServer>> RegistryServer::Start(
    store::Store& store, const Clock& clock, const RegistryServerOptions& options) {
  RETURN_IF_ERROR(CheckListenAddress(options));
  QuietGrpc();
  auto parts = std::make_unique<Parts>();
  parts->store = std::make_unique<store::MeasuredStore>(store, clock);
  ASSIGN_OR_RETURN(parts->registry, Registry::Open(*parts->store, clock, options.registry));
  parts->hub = std::make_unique<WatchHub>(*parts->registry, options.watch);
  parts->probe = std::make_unique<probe::InstanceProbe>(options.probe);
  parts->checker = std::make_unique<InstanceChecker>(
      *parts->registry,
      [&probe = *parts->probe](const probe::Question& question) { return probe.Ask(question); },
      options.checks);
  if (options.access.has_value()) {
    ASSIGN_OR_RETURN(parts->gatekeeper, Gatekeeper::Start(*parts->registry, *options.access));
  }
  Gatekeeper* const gatekeeper = parts->gatekeeper.get();
  parts->registry_service = MakeRegistryService(*parts->registry, gatekeeper, *parts->hub,
                                                *parts->checker, options.binary_version);
  parts->watch_service = MakeRoutingWatchService(*parts->registry, gatekeeper, *parts->hub);
  parts->access_service = MakeAccessService(*parts->registry, gatekeeper);

  RETURN_IF_ERROR(parts->Listen(options));
  HousekeeperOptions housekeeping = options.housekeeping;
  if (gatekeeper != nullptr) {
    housekeeping.job_rights = [gatekeeper](Draft& draft, const v1::JobRecord& record) {
      return gatekeeper->CheckJob(draft, record);
    };
  }
  parts->housekeeper = std::make_unique<Housekeeper>(*parts->registry, *parts->hub, housekeeping);
  return std::unique_ptr<RegistryServer>(new RegistryServer(std::move(parts)));
}

RegistryServer::RegistryServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RegistryServer::~RegistryServer() { Shutdown(absl::Seconds(1)); }

void RegistryServer::Shutdown(absl::Duration grace) {
  if (parts_->server == nullptr) return;
  parts_->housekeeper.reset();
  parts_->checker->Stop();
  parts_->probe->Stop();
  parts_->hub->Stop();
  // gRPC counts its deadlines from now in its own clock.
  parts_->server->Shutdown(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(absl::ToInt64Milliseconds(grace), GPR_TIMESPAN)));
  parts_->server->Wait();
  parts_->server.reset();
}

void RegistryServer::ReloadKeys() {
  if (parts_->gatekeeper != nullptr) parts_->gatekeeper->ReloadKeys();
}

RegistryCounts RegistryServer::Counts() const {
  RegistryCounts counts;
  counts.registry_id = parts_->registry->id();
  counts.store = parts_->store->Describe();
  counts.revision = parts_->store->revision();
  counts.compact_revision = parts_->store->compact_revision();
  counts.commits = parts_->store->commits();
  counts.last_commit = parts_->store->last_commit();
  counts.housekeeping = parts_->housekeeper->last_round();
  counts.jobs = parts_->housekeeper->jobs();
  counts.calls = parts_->calls.All();
  counts.watch = parts_->hub->counts();
  counts.instances = parts_->checker->counts();
  if (parts_->gatekeeper != nullptr) {
    counts.unauthenticated = parts_->gatekeeper->unauthenticated();
    counts.denied = parts_->gatekeeper->denied();
  }
  return counts;
}

const std::string& RegistryServer::address() const { return parts_->address; }
int RegistryServer::port() const { return parts_->port; }
const std::string& RegistryServer::registry_id() const { return parts_->registry->id(); }

std::string RegistryServer::local_address() const {
  return parts_->local_socket.empty() ? parts_->address : absl::StrCat(kUnix, parts_->local_socket);
}

}  // namespace pinion::service
