// A gateway in this process between gRPC C++'s own clients and servers, over TLS on either side.
// One thread for tests; the gateway and gRPC have theirs.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/worker/gateway.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::testing {

// Echoes every message of every method, unary or streaming; null credentials: without TLS.
class EchoServer {
 public:
  explicit EchoServer(std::shared_ptr<grpc::ServerCredentials> credentials);
  ~EchoServer();
  int port() const { return port_; }

 private:
  class Service;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

struct Answer {
  grpc::Status status;
  std::string message;
  std::string api_version;  // of the response's metadata
  std::string server_name;  // the common name in the gateway's certificate
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

// A bidirectional call that goes on as long as the object.
class EchoStream {
 public:
  explicit EchoStream(const std::shared_ptr<grpc::Channel>& channel);
  ~EchoStream();
  // Sends it and waits for its echo; "" when the stream has ended.
  std::string Echo(const std::string& message);
  // Half-closes and waits for the end.
  grpc::Status Finish();

 private:
  bool Wait();

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

class TlsGatewayTest : public ::testing::Test {
 protected:
  // A gateway with this configuration as a text proto, in which $DIR is dir_'s path, and this much
  // to route: service `echo`, whose 1.0.0 (stable) and 2.0.0 are at `upstream`, by text resources
  // appended.
  void StartGateway(const std::string& bootstrap, const std::string& tls_name = "",
                    const std::vector<std::string>& more_resources = {});
  void Publish(const std::string& tls_name, const std::vector<std::string>& more_resources);

  std::shared_ptr<grpc::Channel> Channel(const std::string& ca_file,
                                         const net::TlsCertificateFiles* certificate = nullptr);
  static Answer Call(const std::shared_ptr<grpc::Channel>& channel, const Metadata& metadata = {});

  TempDirectory dir_;
  CertificateAuthority ca_;
  std::string ca_file_ = ca_.Write(dir_.path(), "ca");
  net::TlsCertificateFiles server_files_ =
      ca_.Issue(dir_.path(), "server", {.dns = {"localhost"}, .ips = {"127.0.0.1"}});
  std::unique_ptr<EchoServer> upstream_;
  std::unique_ptr<worker::Gateway> gateway_;
};

}  // namespace pinion::testing
