// Commits whose answers do not come. Before a real etcd stands a member that loses requests or
// answers, or carries requests out too late, and each change is made once all the same.
#include "registry/store/etcd_commit.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/etcd_encoding.h"
#include "registry/store/outcome.h"
#include "tests/testing/etcd_members.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace wire = etcdserverpb;

enum class Fault {
  kLoseRequest,  // the transaction never comes to etcd
  kLoseAnswer,   // it is carried out, and nobody is told
  kDelay,        // it is carried out when the test says so
};

class TroubledMember final : public wire::KV::Service {
 public:
  explicit TroubledMember(const std::string& endpoint)
      : channel_(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
        kv_(wire::KV::NewStub(channel_)),
        status_(channel_) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    builder.RegisterService(&status_);
    server_ = builder.BuildAndStart();
    endpoint_ = absl::StrCat("127.0.0.1:", port);
  }

  const std::string& endpoint() const { return endpoint_; }
  // What befalls the next transactions, one each.
  void Plan(std::deque<Fault> faults) { faults_ = std::move(faults); }
  // Reads come to nothing from now on, or no longer.
  void LoseReads(bool lose) { lose_reads_ = lose; }
  // Of the one that was delayed last.
  bool CarryOutDelayed() {
    wire::TxnResponse response;
    EXPECT_TRUE(Forward(delayed_, &response).ok());
    return response.succeeded();
  }

  grpc::Status Range(grpc::ServerContext*, const wire::RangeRequest* request,
                     wire::RangeResponse* response) override {
    if (lose_reads_) return {grpc::StatusCode::UNAVAILABLE, "etcdserver: request timed out"};
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    return kv_->Range(&context, *request, response);
  }
  grpc::Status Txn(grpc::ServerContext*, const wire::TxnRequest* request,
                   wire::TxnResponse* response) override {
    if (faults_.empty()) return Forward(*request, response);
    const Fault fault = faults_.front();
    faults_.pop_front();
    if (fault == Fault::kDelay) delayed_ = *request;
    if (fault == Fault::kLoseAnswer) (void)Forward(*request, response);
    return {grpc::StatusCode::UNAVAILABLE, "etcdserver: request timed out"};
  }

 private:
  class StatusService final : public wire::Maintenance::Service {
   public:
    explicit StatusService(const std::shared_ptr<grpc::Channel>& channel)
        : stub_(wire::Maintenance::NewStub(channel)) {}
    grpc::Status Status(grpc::ServerContext*, const wire::StatusRequest* request,
                        wire::StatusResponse* response) override {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      return stub_->Status(&context, *request, response);
    }

   private:
    std::unique_ptr<wire::Maintenance::Stub> stub_;
  };

  grpc::Status Forward(const wire::TxnRequest& request, wire::TxnResponse* response) {
    grpc::ClientContext context;
    return kv_->Txn(&context, request, response);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<wire::KV::Stub> kv_;
  StatusService status_;
  std::deque<Fault> faults_;
  std::atomic<bool> lose_reads_ = false;
  wire::TxnRequest delayed_;
  std::string endpoint_;
  std::unique_ptr<grpc::Server> server_;
};

class EtcdCommitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::EtcdMembers::Installed()) GTEST_SKIP() << "etcd is not installed";
    etcd_ = std::make_unique<testing::EtcdMembers>(directory_.path(), 1);
    member_ = std::make_unique<TroubledMember>(etcd_->endpoints()[0]);
    auto connection = EtcdConnection::Open(
        {.endpoints = {member_->endpoint()}, .request_timeout = absl::Seconds(1)}, SystemClock());
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
    committer_ = std::make_unique<EtcdCommitter>(*connection_, encoding_);
    ASSERT_TRUE(committer_->Commit({.then = {Put{"k", "old"}, Put{"gone", "x"}}}).ok());
  }
  void TearDown() override {
    committer_.reset();
    connection_.reset();
    member_.reset();
    etcd_.reset();
  }

  // What stands under `key`, with the number of its puts: "value#2".
  std::string There(const std::string& key) {
    const absl::StatusOr<TxnResult> result = committer_->Commit({.then = {Get{key}}});
    EXPECT_TRUE(result.ok()) << result.status();
    const std::optional<KeyValue>& kv = result->results.at(0);
    return kv.has_value() ? absl::StrCat(kv->value, "#", kv->version) : "";
  }
  static std::vector<std::string> Values(const TxnResult& result) {
    std::vector<std::string> values;
    for (const std::optional<KeyValue>& kv : result.results) {
      values.push_back(kv.has_value() ? kv->value : "-");
    }
    return values;
  }

  const EtcdEncoding encoding_{"/pinion/"};
  const testing::TempDirectory directory_;
  std::unique_ptr<testing::EtcdMembers> etcd_;
  std::unique_ptr<TroubledMember> member_;
  std::unique_ptr<EtcdConnection> connection_;
  std::unique_ptr<EtcdCommitter> committer_;
  // With every kind of operation.
  const Txn change_{.compares = {Compare{"k", Compare::Number::kVersion, Compare::Is::kEqual, 1}},
                    .then = {Get{"k"}, Put{"k", "new"}, Get{"k"}, Delete{"gone"}, Get{"gone"}},
                    .otherwise = {Put{"otherwise", "1"}}};
};

TEST_F(EtcdCommitTest, AChangeIsMadeOnceWhateverIsLost) {
  const std::vector<std::deque<Fault>> plans = {
      {},
      {Fault::kLoseRequest},
      {Fault::kLoseAnswer},
      // The fence gets lost as well, and so on.
      {Fault::kLoseRequest, Fault::kLoseRequest},
      {Fault::kLoseRequest, Fault::kLoseAnswer},
      {Fault::kLoseAnswer, Fault::kLoseRequest},
      {Fault::kLoseAnswer, Fault::kLoseAnswer},
      {Fault::kLoseRequest, Fault::kLoseAnswer, Fault::kLoseAnswer, Fault::kLoseAnswer},
  };
  for (const std::deque<Fault>& plan : plans) {
    SCOPED_TRACE(plan.size());
    ASSERT_TRUE(committer_->Commit({.then = {Delete{"k"}}}).ok());
    ASSERT_TRUE(committer_->Commit({.then = {Put{"k", "old"}, Put{"gone", "x"}}}).ok());
    member_->Plan(plan);
    const absl::StatusOr<TxnResult> result = committer_->Commit(change_);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->succeeded);
    EXPECT_THAT(Values(*result), ElementsAre("old", "old", "new", "x", "-"));
    EXPECT_EQ(There("k"), "new#2");
    EXPECT_EQ(There("otherwise"), "");
    const absl::StatusOr<TxnResult> now = committer_->Commit({.then = {Get{"k"}}});
    EXPECT_EQ(now->results.at(0)->mod_revision, result->revision);
  }
}

TEST_F(EtcdCommitTest, WhatComesTooLateIsNotCarriedOut) {
  member_->Plan({Fault::kDelay});
  ASSERT_TRUE(committer_->Commit(change_)->succeeded);
  ASSERT_TRUE(committer_->Commit({.then = {Put{"k", "newer"}}}).ok());
  EXPECT_FALSE(member_->CarryOutDelayed());
  EXPECT_EQ(There("k"), "newer#3");
  EXPECT_EQ(There("otherwise"), "") << "neither list";
}

TEST_F(EtcdCommitTest, TheOtherListIsToldFromTheFirst) {
  ASSERT_TRUE(committer_->Commit({.then = {Put{"k", "newer"}}}).ok());
  member_->Plan({Fault::kLoseAnswer});
  const absl::StatusOr<TxnResult> result = committer_->Commit(change_);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->succeeded);
  EXPECT_THAT(Values(*result), ElementsAre("-"));
  EXPECT_EQ(There("otherwise"), "1#1");
}

TEST_F(EtcdCommitTest, WhatCannotBeFoundOutIsSaid) {
  member_->Plan(std::deque<Fault>(1000, Fault::kLoseRequest));
  const absl::Status status = committer_->Commit(change_).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(IsOutcomeUnknown(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("whether the change was made is not known"));
  member_->Plan({});
  EXPECT_EQ(There("k"), "old#1");
  EXPECT_TRUE(committer_->Commit(change_)->succeeded) << "on another lane";
}

// Nothing may be taken for a change that did not happen, which its caller would repeat.
TEST_F(EtcdCommitTest, AChangeWhoseResultsCannotBeReadIsNotSaidToHaveFailed) {
  member_->Plan({Fault::kLoseAnswer});
  member_->LoseReads(true);
  const absl::Status status = committer_->Commit(change_).status();
  EXPECT_TRUE(IsOutcomeUnknown(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("the change was made, at revision"));
  member_->LoseReads(false);
  EXPECT_EQ(There("k"), "new#2");
}

TEST_F(EtcdCommitTest, ALaneThatIsGoneIsMadeAnew) {
  const auto kv = wire::KV::NewStub(
      grpc::CreateChannel(etcd_->endpoints()[0], grpc::InsecureChannelCredentials()));
  wire::TxnRequest sweep;
  sweep.add_success()->mutable_request_delete_range()->set_key(encoding_.lanes());
  sweep.mutable_success(0)->mutable_request_delete_range()->set_range_end(
      KeyRange::Prefix(encoding_.lanes()).end);
  wire::TxnResponse swept;
  grpc::ClientContext context;
  ASSERT_TRUE(kv->Txn(&context, sweep, &swept).ok());
  EXPECT_EQ(swept.responses(0).response_delete_range().deleted(), 1);
  EXPECT_TRUE(committer_->Commit(change_)->succeeded);
  EXPECT_EQ(There("k"), "new#2");
}

}  // namespace
}  // namespace pinion::store
