// The client of gRPC's interoperability tests on gRPC C++.
//
//     interop_client --port=PORT [--metadata=NAME:VALUE] [--compression] [--ca=FILE]
//
// Runs every case against 127.0.0.1:PORT and prints `PASS name` or `FAIL name: why` for each; with
// --compression those that need a server which checks compression. With --ca over TLS, trusting it.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"
#include "tests/conformance/peers/cases.h"

namespace pinion::interop {
namespace {

std::shared_ptr<grpc::ChannelCredentials> Credentials(const std::string& ca) {
  if (ca.empty()) return grpc::InsecureChannelCredentials();
  std::ifstream file(ca, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return grpc::SslCredentials({.pem_root_certs = content.str()});
}

int Main(int argc, char** argv) {
  std::string port, ca;
  bool compression = false;
  Target target;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg.starts_with("--port=")) port = arg.substr(7);
    if (arg.starts_with("--ca=")) ca = arg.substr(5);
    if (arg == "--compression") compression = true;
    if (arg.starts_with("--metadata=")) {
      const std::string_view pair = arg.substr(11);
      const size_t colon = pair.find(':');
      target.metadata.emplace_back(pair.substr(0, colon), pair.substr(colon + 1));
    }
  }
  target.connect = [address = "127.0.0.1:" + port, credentials = Credentials(ca), &ca] {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // no sharing between sessions
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (!ca.empty()) arguments.SetSslTargetNameOverride("localhost");
    return grpc::CreateCustomChannel(address, credentials, arguments);
  };
  bool passed = true;
  for (const Case& one : compression ? CompressionCases() : StandardCases()) {
    const std::string problem = one.run(target);
    if (problem.empty()) {
      std::cout << "PASS " << one.name << std::endl;
    } else {
      passed = false;
      std::cout << "FAIL " << one.name << ": " << problem << std::endl;
    }
  }
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace pinion::interop

int main(int argc, char** argv) { return pinion::interop::Main(argc, argv); }
