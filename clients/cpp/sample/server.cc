// A greeter that keeps itself registered as one version of the service `greeter`, until SIGTERM or
// Ctrl-C. usage: greeter_server [--registry HOST:PORT] [--version NAME] [--tls-ca FILE]
// [--token-file FILE]
#include <grpcpp/grpcpp.h>
#include <pinion/client/credentials.h>
#include <pinion/client/registration.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "greeter.grpc.pb.h"
#include "sample/arguments.h"

namespace {

using pinion::sample::v1::GreetReply;
using pinion::sample::v1::GreetRequest;

class Greeter : public pinion::sample::v1::Greeter::Service {
 public:
  explicit Greeter(std::string version) : version_(std::move(version)) {}

  grpc::Status Greet(grpc::ServerContext* /*context*/, const GreetRequest* request,
                     GreetReply* reply) override {
    reply->set_text("hello " + request->name() + ", says " + version_);
    return grpc::Status::OK;
  }

 private:
  const std::string version_;
};

// Over TLS and with a token where the registry asks who calls.
std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::string& ca,
                                                      const std::string& token_file) {
  if (ca.empty() && !token_file.empty()) {
    std::cerr << "a token is only sent over TLS: --token-file needs --tls-ca\n";
    std::exit(1);
  }
  if (ca.empty()) return grpc::InsecureChannelCredentials();
  std::ostringstream pem;
  pem << std::ifstream(ca).rdbuf();
  auto tls = grpc::SslCredentials({.pem_root_certs = pem.str()});
  if (token_file.empty()) return tls;
  return grpc::CompositeChannelCredentials(tls, pinion::client::TokenFile(token_file));
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before there is a thread that could get them

  pinion::client::EnableHealthAndReflection();
  Greeter greeter(Argument(argc, argv, "--version", "1.0.0"));
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&greeter);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  // A registry whose machine has vanished is noticed before a lease of 15 s ends.
  grpc::ChannelArguments alive;
  alive.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  alive.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3'000);
  alive.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  alive.SetInt("grpc.http2.ping_timeout_ms", 3'000);  // for newer gRPC
  const auto registry = grpc::CreateCustomChannel(
      Argument(argc, argv, "--registry", "127.0.0.1:8081"),
      Credentials(Argument(argc, argv, "--tls-ca", ""), Argument(argc, argv, "--token-file", "")),
      alive);
  pinion::client::ServerDescription description;
  description.service = "greeter";
  description.version = Argument(argc, argv, "--version", "1.0.0");
  description.address = "127.0.0.1:" + std::to_string(port);
  description.grpc_services = {pinion::sample::v1::Greeter::service_full_name()};
  description.publish = true;
  description.actor = "greeter-sample";
  description.on_registered = [](const std::string& uid) {
    std::cout << "registered as " << uid << std::endl;
  };
  pinion::client::Registration registration(*server, registry, std::move(description));

  std::thread end([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    registration.Shutdown();
  });
  const grpc::Status refused = registration.Wait();
  if (!refused.ok()) {
    std::cerr << refused.error_message() << "\n";
    pthread_kill(end.native_handle(), SIGTERM);
  }
  end.join();
  return refused.ok() ? 0 : 1;
}
