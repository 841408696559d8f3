#include "examples/addressbook/server/registration.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace addressbook {
namespace {

namespace api = pinion::registry::v1;

// A registry that remembers what it was asked and forgets leases when told to.
class FakeRegistry : public api::Registry::Service {
 public:
  FakeRegistry() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  void Forget() {
    absl::MutexLock lock(&mutex_);
    uid_.clear();
  }
  void Refuse(bool refuse) {
    absl::MutexLock lock(&mutex_);
    refuse_ = refuse;
  }

  // Waits until it has been asked this many times.
  void AwaitRequests(const std::string& name, int count) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [this, &name, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return std::count(requests_.begin(), requests_.end(), name) >= count;
    };
    mutex_.Await(absl::Condition(&reached));
  }
  std::string shown() {
    absl::MutexLock lock(&mutex_);
    return shown_;
  }
  std::string last_request() {
    absl::MutexLock lock(&mutex_);
    return requests_.back();
  }
  api::RegisterInstanceRequest registered() {
    absl::MutexLock lock(&mutex_);
    return registered_;
  }

 private:
  grpc::Status RegisterInstance(grpc::ServerContext* context,
                                const api::RegisterInstanceRequest* request,
                                api::RegisterInstanceResponse* response) override {
    absl::MutexLock lock(&mutex_);
    const auto token = context->client_metadata().find("authorization");
    if (token != context->client_metadata().end()) {
      shown_.assign(token->second.data(), token->second.size());
    }
    requests_.push_back("register");
    if (refuse_) return {grpc::NOT_FOUND, "there is no such version"};
    registered_ = *request;
    uid_ = absl::StrCat("uid-", requests_.size());
    response->mutable_instance()->mutable_instance()->set_uid(uid_);
    return grpc::Status::OK;
  }
  grpc::Status RenewInstance(grpc::ServerContext*, const api::RenewInstanceRequest* request,
                             api::RenewInstanceResponse*) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back("renew");
    return request->uid() == uid_ ? grpc::Status::OK : grpc::Status(grpc::NOT_FOUND, "expired");
  }
  grpc::Status DeregisterInstance(grpc::ServerContext*,
                                  const api::DeregisterInstanceRequest* request,
                                  api::DeregisterInstanceResponse*) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request->uid() == uid_ ? "deregister" : "deregister something else");
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mutex_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::string uid_ ABSL_GUARDED_BY(mutex_);
  std::string shown_ ABSL_GUARDED_BY(mutex_);
  bool refuse_ ABSL_GUARDED_BY(mutex_) = false;
  api::RegisterInstanceRequest registered_ ABSL_GUARDED_BY(mutex_);
};

Registration::Options OptionsFor(const FakeRegistry& registry) {
  return {.registry = registry.address(),
          .service = "addressbook",
          .api_version = "1.0.0",
          .address = "127.0.0.1:9001",
          .lease = absl::Seconds(1)};
}

TEST(Registration, RegistersRenewsAndDeregisters) {
  FakeRegistry registry;
  auto registration = Registration::Start(OptionsFor(registry));
  ASSERT_TRUE(registration.ok()) << registration.status();
  registry.AwaitRequests("renew", 2);
  registration->reset();
  EXPECT_EQ(registry.last_request(), "deregister");

  const api::RegisterInstanceRequest request = registry.registered();
  EXPECT_EQ(request.instance().service(), "addressbook");
  EXPECT_EQ(request.instance().version(), "1.0.0");
  EXPECT_EQ(request.instance().address().socket_address().address(), "127.0.0.1");
  EXPECT_EQ(request.instance().address().socket_address().port_value(), 9001);
  EXPECT_EQ(request.lease_ttl().seconds(), 1);
}

TEST(Registration, AnExpiredLeaseIsTakenAnew) {
  FakeRegistry registry;
  auto registration = Registration::Start(OptionsFor(registry));
  registry.AwaitRequests("renew", 1);
  registry.Forget();
  registry.AwaitRequests("register", 2);
  registration->reset();
  EXPECT_EQ(registry.last_request(), "deregister");
}

TEST(Registration, GoesOnTryingWhileItIsRefused) {
  FakeRegistry registry;
  registry.Refuse(true);
  auto registration = Registration::Start(OptionsFor(registry));
  registry.AwaitRequests("register", 2);
  registry.Refuse(false);
  registry.AwaitRequests("renew", 1);
}

TEST(Registration, WhatWasNeverRegisteredIsNotDeregistered) {
  FakeRegistry registry;
  registry.Refuse(true);
  auto registration = Registration::Start(OptionsFor(registry));
  registry.AwaitRequests("register", 1);
  registration->reset();
  EXPECT_EQ(registry.last_request(), "register");
}

TEST(Registration, AnAddressWithoutAPortIsRefused) {
  FakeRegistry registry;
  Registration::Options options = OptionsFor(registry);
  options.address = "localhost";
  EXPECT_EQ(Registration::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Registration, ShowsATokenThatIsReadAnew) {
  FakeRegistry registry;
  Registration::Options options = OptionsFor(registry);
  options.credentials.token_file = absl::StrCat(testing::TempDir(), "/registration_token");
  std::ofstream(options.credentials.token_file) << "first\n";
  auto registration = Registration::Start(options);
  ASSERT_TRUE(registration.ok()) << registration.status();
  registry.AwaitRequests("renew", 1);
  EXPECT_EQ(registry.shown(), "Bearer first");
  std::ofstream(options.credentials.token_file) << "second\n";
  registry.Forget();
  registry.AwaitRequests("register", 2);
  EXPECT_EQ(registry.shown(), "Bearer second");
}

TEST(Registration, CredentialsThatCannotBeTriedAreRefused) {
  FakeRegistry registry;
  Registration::Options options = OptionsFor(registry);
  options.credentials.token_file = "/nonexistent/token";
  EXPECT_EQ(Registration::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace addressbook
