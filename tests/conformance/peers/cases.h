// The standard cases of gRPC's interoperability tests as gRPC C++ runs them. A case returns an
// empty string when it passed, else what was wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "interop.grpc.pb.h"

namespace pinion::interop {

// Where the server is, and what every call carries.
struct Target {
  std::function<std::shared_ptr<grpc::Channel>()> connect;  // a new connection each time
  std::vector<std::pair<std::string, std::string>> metadata;
};

// One channel, its stub, and contexts with the target's metadata and a deadline.
class Session {
 public:
  explicit Session(const Target& target);

  grpc::testing::TestService::Stub& stub() { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  std::unique_ptr<grpc::ClientContext> Context() const;

 private:
  const Target& target_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::testing::TestService::Stub> stub_;
};

struct Case {
  const char* name;
  std::string (*run)(const Target& target);
};

// Those of the interoperability document, and many calls at once.
const std::vector<Case>& StandardCases();
// Those with per-message compression, for servers that check it.
const std::vector<Case>& CompressionCases();

// ---- what both kinds of cases use ----

constexpr int kRequestBytes = 271828;
constexpr int kResponseBytes = 314159;

grpc::testing::SimpleRequest LargeRequest();
// "" when equal, else both.
std::string Expect(const std::string& what, const std::string& actual, const std::string& wanted);
std::string ExpectStatus(const grpc::Status& status, grpc::StatusCode code);
std::string ExpectBytes(size_t actual, size_t wanted);
// The first problem of several.
std::string First(std::initializer_list<std::string> problems);

}  // namespace pinion::interop
