// How a registration is kept, with a registry that does not always answer.
#include "pinion/client/registration.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pinion/registry/v1/registry.grpc.pb.h"

namespace pinion::client {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience(10);

// Remembers what it was asked; the first `hanging` renewals get no answer before the next one does.
class FakeRegistry : public registry::v1::Registry::Service {
 public:
  explicit FakeRegistry(int hanging) : hanging_(hanging) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Whether a renewal was answered before the test's patience ends.
  bool WaitForRenewal() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return renewals_ > hanging_; });
  }
  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  grpc::Status RegisterInstance(grpc::ServerContext* /*context*/,
                                const registry::v1::RegisterInstanceRequest* /*request*/,
                                registry::v1::RegisterInstanceResponse* response) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("register");
    response->mutable_instance()->mutable_instance()->set_uid("one");
    return grpc::Status::OK;
  }

  grpc::Status RenewInstance(grpc::ServerContext* /*context*/,
                             const registry::v1::RenewInstanceRequest* /*request*/,
                             registry::v1::RenewInstanceResponse* /*response*/) override {
    std::unique_lock lock(mutex_);
    calls_.push_back("renew");
    ++renewals_;
    changed_.notify_all();
    changed_.wait_for(lock, kPatience, [this] { return renewals_ > hanging_; });
    return grpc::Status::OK;
  }

  grpc::Status DeregisterInstance(grpc::ServerContext* /*context*/,
                                  const registry::v1::DeregisterInstanceRequest* request,
                                  registry::v1::DeregisterInstanceResponse* /*response*/) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("deregister " + request->uid());
    return grpc::Status::OK;
  }

  const int hanging_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  int renewals_ = 0;                // guarded by mutex_
  std::vector<std::string> calls_;  // guarded by mutex_
  std::unique_ptr<grpc::Server> server_;
};

TEST(Registration, TwoRenewalsMayHang) {
  FakeRegistry registry(/*hanging=*/2);
  registry::v1::Registry::Service anything;
  grpc::ServerBuilder builder;
  builder.RegisterService(&anything);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ServerDescription description;
  description.service = "echo";
  description.version = "1.0.0";
  description.address = "127.0.0.1:1";
  description.lease = std::chrono::seconds(3);
  const auto begun = steady_clock::now();  // style: allow clock, leases are real time
  Registration registration(
      *server, grpc::CreateChannel(registry.address(), grpc::InsecureChannelCredentials()),
      description);
  ASSERT_TRUE(registry.WaitForRenewal());
  const auto renewed = steady_clock::now();  // style: allow clock, leases are real time
  EXPECT_LT(renewed - begun, description.lease);
  registration.Shutdown();
  EXPECT_EQ(registry.calls(),
            (std::vector<std::string>{"register", "renew", "renew", "renew", "deregister one"}));
}

}  // namespace
}  // namespace pinion::client
