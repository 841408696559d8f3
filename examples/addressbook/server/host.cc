#include "examples/addressbook/server/host.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "examples/addressbook/server/pages.h"
#include "examples/addressbook/server/registration.h"

namespace addressbook {
namespace {

// Calls still running this long after SIGTERM are cancelled.
constexpr absl::Duration kDrainTime = absl::Seconds(10);

struct Flags {
  std::string listen = "127.0.0.1:0";
  std::string db;
  std::string static_root;
  std::string static_listen = "127.0.0.1:0";
  std::string registry;
  pinion::dial::Credentials credentials;  // for the registry
  double lease_seconds = 10;
};

void AddOptions(CLI::App& app, Flags& flags) {
  app.add_option("--listen", flags.listen, "host:port; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--db", flags.db, "the SQLite file, made by addressbook_migrate")->required();
  app.add_option("--static-root", flags.static_root, "serve the pages in this folder over HTTP");
  app.add_option("--static-listen", flags.static_listen, "where")->capture_default_str();
  app.add_option("--registry", flags.registry,
                 "register with this registry (host:port or unix:path) while serving");
  app.add_option("--tls-ca", flags.credentials.trusted_ca,
                 "who signs the registry's certificate; calls it over TLS");
  app.add_option("--tls-cert", flags.credentials.certificate_chain, "shown to the registry");
  app.add_option("--tls-key", flags.credentials.private_key, "of --tls-cert");
  app.add_option("--token-file", flags.credentials.token_file,
                 "shown to the registry; read anew for each call");
  app.add_option("--lease", flags.lease_seconds, "seconds that a registration outlives a crash")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
}

// Signals reach WaitForSignal() alone, since every thread made from now on inherits the mask.
sigset_t BlockTerminationSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

struct Listening {
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

absl::StatusOr<Listening> Listen(const std::string& address, grpc::Service& service) {
  // By these the registry sees that this server is ready, and which schema it has.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  // Else a second server on a port in use would share its calls instead of failing.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
  server->GetHealthCheckService()->SetServingStatus(kGrpcService, true);
  const std::string host = address.substr(0, address.rfind(':'));
  return Listening{std::move(server), absl::StrCat(host, ":", port)};
}

absl::Status Serve(const Flags& flags, const std::string& api_version,
                   const ServiceFactory& make_service) {
  const sigset_t signals = BlockTerminationSignals();
  ASSIGN_OR_RETURN(Database database, Database::Open(flags.db));
  ASSIGN_OR_RETURN(const std::unique_ptr<grpc::Service> service, make_service(std::move(database)));

  std::unique_ptr<PageServer> pages;
  if (!flags.static_root.empty()) {
    ASSIGN_OR_RETURN(pages, PageServer::Start(flags.static_root, flags.static_listen));
    std::cout << "pages on " << pages->url() << std::endl;
  }
  ASSIGN_OR_RETURN(const Listening listening, Listen(flags.listen, *service));
  std::cout << kService << " " << api_version << " listening on " << listening.address << std::endl;

  std::unique_ptr<Registration> registration;
  if (!flags.registry.empty()) {
    ASSIGN_OR_RETURN(registration,
                     Registration::Start({.registry = flags.registry,
                                          .credentials = flags.credentials,
                                          .service = kService,
                                          .api_version = api_version,
                                          .address = listening.address,
                                          .lease = absl::Seconds(flags.lease_seconds)}));
  }

  WaitForSignal(signals);
  registration.reset();  // first, so that no further call is sent here
  listening.server->GetHealthCheckService()->SetServingStatus(false);
  listening.server->Shutdown(absl::ToChronoTime(pinion::SystemClock().Wall() + kDrainTime));
  return absl::OkStatus();
}

}  // namespace

int RunServer(int argc, char** argv, const std::string& api_version,
              const ServiceFactory& make_service) {
  CLI::App app{absl::StrCat("The address book, version ", api_version, ".")};
  Flags flags;
  AddOptions(app, flags);
  CLI11_PARSE(app, argc, argv);
  flags.credentials.tls = !flags.credentials.trusted_ca.empty();
  const absl::Status status = Serve(flags, api_version, make_service);
  if (!status.ok()) std::cerr << kService << " " << api_version << ": " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace addressbook
