// The registry as its clients see it: a real gRPC server in this process on a Unix socket.
#include "registry/service/registry_server.h"

#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/address.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"
#include "registry/service/grpc_caller.h"
#include "registry/store/sqlite_store.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace v1 = registry::v1;

class RegistryServerTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(); }
  void TearDown() override { Stop(); }
  void Stop() {
    stub_.reset();
    watch_.reset();
    channel_.reset();
    server_.reset();
    store_.reset();
  }
  // Again on the same store, as after a restart.
  void Start(const std::string& socket = "registry.sock") {
    Stop();
    auto store = store::SqliteStore::Open(directory_.Path("registry.db"), clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    auto server = RegistryServer::Start(*store_, clock_,
                                        {.address = "unix:" + directory_.Path(socket),
                                         .binary_version = "test",
                                         .watch = {.heartbeat = absl::Milliseconds(50)},
                                         .housekeeping = {.period = absl::Milliseconds(5)}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ =
        grpc::CreateChannel(GrpcTarget(server_->address()), grpc::InsecureChannelCredentials());
    stub_ = v1::Registry::NewStub(channel_);
    watch_ = v1::RoutingWatch::NewStub(channel_);
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::Registry::Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                    const Request& request, Response* response, const std::string& actor = "") {
    grpc::ClientContext context;
    if (!actor.empty()) context.AddMetadata(kActorMetadata, actor);
    return (stub_.get()->*method)(&context, request, response);
  }
  grpc::Status Publish(const std::string& version, const std::string& set = "") {
    v1::PublishVersionRequest request;
    request.set_service("addressbook");
    request.set_name(version);
    request.set_descriptor_set(set);
    v1::PublishVersionResponse response;
    return Call(&v1::Registry::Stub::PublishVersion, request, &response);
  }
  v1::RegisterInstanceResponse Register(const std::string& version, uint32_t port, int lease = 0) {
    v1::RegisterInstanceRequest request;
    request.mutable_instance()->set_service("addressbook");
    request.mutable_instance()->set_version(version);
    request.mutable_instance()->mutable_address()->mutable_socket_address()->set_address(
        "127.0.0.1");
    request.mutable_instance()->mutable_address()->mutable_socket_address()->set_port_value(port);
    if (lease > 0) request.mutable_lease_ttl()->set_seconds(lease);
    v1::RegisterInstanceResponse response;
    const grpc::Status status = Call(&v1::Registry::Stub::RegisterInstance, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Pin(const std::string& expression, v1::PinResponse* response,
                   std::optional<int64_t> expected = std::nullopt,
                   const std::string& actor = "ann") {
    v1::SetPinRequest request;
    request.mutable_pin()->set_consumer("billing");
    request.mutable_pin()->set_service("addressbook");
    request.mutable_pin()->set_expression(expression);
    if (expected.has_value()) request.set_expected_revision(*expected);
    return Call(&v1::Registry::Stub::SetPin, request, response, actor);
  }
  // addressbook 1.0.0 and 2.0.0, both active, and the consumer billing.
  void SetUpAddressBook() {
    for (const char* version : {"1.0.0", "2.0.0"}) {
      ASSERT_TRUE(Publish(version).ok());
      Register(version, 9001);
    }
    v1::CreateConsumerRequest request;
    request.mutable_consumer()->set_name("billing");
    v1::Consumer consumer;
    ASSERT_TRUE(Call(&v1::Registry::Stub::CreateConsumer, request, &consumer).ok());
  }

  testing::FakeClock clock_;
  const testing::TempDirectory directory_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<RegistryServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Registry::Stub> stub_;
  std::unique_ptr<v1::RoutingWatch::Stub> watch_;
};

TEST_F(RegistryServerTest, PublishPinBumpRollback) {
  SetUpAddressBook();
  v1::PinResponse pin;
  ASSERT_TRUE(Pin("^1", &pin).ok());
  EXPECT_EQ(pin.pin().resolved_version(), "1.0.0");
  EXPECT_EQ(pin.pin().meta().created_by(), "ann");
  ASSERT_TRUE(Pin("^2", &pin, std::nullopt, "bob").ok());
  EXPECT_EQ(pin.pin().resolved_version(), "2.0.0");
  EXPECT_EQ(pin.pin().meta().updated_by(), "bob");
  v1::RollbackPinRequest rollback;
  rollback.set_consumer("billing");
  rollback.set_service("addressbook");
  ASSERT_TRUE(Call(&v1::Registry::Stub::RollbackPin, rollback, &pin).ok());
  EXPECT_EQ(pin.pin().resolved_version(), "1.0.0");
  EXPECT_EQ(pin.pin().meta().updated_by(), "unix") << "no actor named: the peer";
  Start();
  v1::GetPinRequest get;
  get.set_consumer("billing");
  get.set_service("addressbook");
  v1::Pin kept;
  ASSERT_TRUE(Call(&v1::Registry::Stub::GetPin, get, &kept).ok());
  EXPECT_EQ(kept.pin().expression(), "^1") << "it survives a restart";
  EXPECT_EQ(kept.meta().revision(), pin.pin().meta().revision());
}

TEST_F(RegistryServerTest, RefusalsCarryTheirDetails) {
  SetUpAddressBook();
  v1::PinResponse response;
  const grpc::Status status = Pin("3.0.0", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("1.0.0"));
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), 5);
  ASSERT_EQ(details.details_size(), 1);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "VERSION_NOT_FOUND");
  EXPECT_EQ(info.domain(), "pinion");
  EXPECT_EQ(info.metadata().at("service"), "addressbook");
  EXPECT_EQ(Publish("3.0.0", "nonsense").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Pin("^1", &response, std::nullopt, std::string(300, 'x')).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RegistryServerTest, ConcurrentCallersWithOneRevisionHaveOneWinner) {
  SetUpAddressBook();
  v1::PinResponse first;
  ASSERT_TRUE(Pin("^1", &first).ok());
  const int64_t revision = first.pin().meta().revision();
  std::atomic<int> won = 0, aborted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([test = this, &won, &aborted, revision] {
      v1::PinResponse response;
      const grpc::Status status = test->Pin("^2", &response, revision);
      won += status.ok() ? 1 : 0;
      aborted += status.error_code() == grpc::StatusCode::ABORTED ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(aborted, 7);
}

// Reads until `revision` has been seen; all that came, as short texts.
std::vector<std::string> ReadUntil(grpc::ClientReader<v1::WatchResponse>& reader,
                                   int64_t revision) {
  std::vector<std::string> seen;
  v1::WatchResponse message;
  int64_t at = 0;
  while (at < revision && reader.Read(&message)) {
    if (message.has_snapshot() && message.snapshot().last()) {
      at = message.snapshot().revision();
      seen.push_back("snapshot");
    }
    if (message.has_progress()) at = message.progress().revision();
    for (const auto& changes : message.changes().revisions()) {
      at = changes.revision();
      for (const auto& change : changes.changes()) {
        if (change.put().has_pin()) seen.push_back("pin " + change.put().pin().expression());
        if (change.has_deleted()) seen.push_back("deleted " + change.deleted().instance().uid());
      }
    }
  }
  return seen;
}

TEST_F(RegistryServerTest, WatchResumesAcrossARestart) {
  SetUpAddressBook();
  v1::PinResponse pin;
  v1::WatchRequest request;
  request.set_gateway_id("gw-1");
  int64_t seen_revision = 0;
  {
    grpc::ClientContext context;
    auto reader = watch_->Watch(&context, request);
    v1::WatchResponse first;
    ASSERT_TRUE(reader->Read(&first));
    EXPECT_TRUE(first.snapshot().first());
    request.set_registry_id(first.registry_id());
    EXPECT_EQ(first.registry_id(), server_->registry_id());
    ASSERT_TRUE(Pin("^1", &pin).ok());
    seen_revision = pin.pin().meta().revision();
    EXPECT_THAT(ReadUntil(*reader, seen_revision), ::testing::Contains("pin ^1"));
    v1::GetStatusResponse status;
    ASSERT_TRUE(Call(&v1::Registry::Stub::GetStatus, v1::GetStatusRequest(), &status).ok());
    ASSERT_EQ(status.gateways_size(), 1);
    EXPECT_EQ(status.gateways(0).gateway_id(), "gw-1");
    context.TryCancel();
  }
  ASSERT_TRUE(Pin("^2", &pin).ok());
  Start();
  request.set_from_revision(seen_revision);
  grpc::ClientContext context;
  auto reader = watch_->Watch(&context, request);
  EXPECT_THAT(ReadUntil(*reader, pin.pin().meta().revision()), ElementsAre("pin ^2"));
  server_->Shutdown(absl::Seconds(5));
  v1::WatchResponse message;
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(RegistryServerTest, ExpiredLeasesReachTheWatchers) {
  ASSERT_TRUE(Publish("1.0.0").ok());
  const std::string uid = Register("1.0.0", 9001, 10).instance().instance().uid();
  grpc::ClientContext context;
  auto reader = watch_->Watch(&context, v1::WatchRequest());
  (void)ReadUntil(*reader, store_->revision());
  v1::RenewInstanceRequest renew;
  renew.set_uid(uid);
  v1::RenewInstanceResponse renewed;
  clock_.Advance(absl::Seconds(9));
  ASSERT_TRUE(Call(&v1::Registry::Stub::RenewInstance, renew, &renewed).ok());
  EXPECT_EQ(renewed.lease_ttl().seconds(), 10);
  const int64_t before = store_->revision();
  clock_.Advance(absl::Seconds(11));
  EXPECT_THAT(ReadUntil(*reader, before + 1), ElementsAre("deleted " + uid));
  EXPECT_EQ(Call(&v1::Registry::Stub::RenewInstance, renew, &renewed).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(RegistryServerTest, ASocketIsForItsOwnerOnly) {
  struct stat info;
  ASSERT_EQ(stat(directory_.Path("registry.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(RegistryServerTest, APathIsWhatItSays) {
  const std::string name = "my run 50%41.sock";
  Start(name);
  SetUpAddressBook();
  const std::string path = directory_.Path(name);
  EXPECT_EQ(server_->address(), "unix:" + path);
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(RegistryServerTest, ListensWhereNobodyElseReachesIt) {
  const struct {
    std::string address;
    bool insecure;
    absl::StatusCode code;
  } kCases[] = {
      {"unix:/tmp/x", false, absl::StatusCode::kOk},
      {"127.0.0.1:0", false, absl::StatusCode::kOk},
      {"127.8.0.1:7070", false, absl::StatusCode::kOk},
      {"[::1]:7070", false, absl::StatusCode::kOk},
      {"localhost:7070", false, absl::StatusCode::kOk},
      {"0.0.0.0:7070", false, absl::StatusCode::kFailedPrecondition},
      {"[::]:7070", false, absl::StatusCode::kFailedPrecondition},
      {"127.0.0.1.example.org:7070", false, absl::StatusCode::kFailedPrecondition},
      {"0.0.0.0:7070", true, absl::StatusCode::kOk},
      {"127.0.0.1", false, absl::StatusCode::kInvalidArgument},
      {"127.0.0.1:x", false, absl::StatusCode::kInvalidArgument},
      {"127.0.0.1:70000", true, absl::StatusCode::kInvalidArgument},
      {"::1:7070", false, absl::StatusCode::kInvalidArgument},
      {"unix:relative", false, absl::StatusCode::kInvalidArgument},
      {"", false, absl::StatusCode::kInvalidArgument},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(CheckListenAddress({.address = c.address, .insecure = c.insecure}).code(), c.code)
        << c.address;
  }
}

TEST_F(RegistryServerTest, GatewaysProposePins) {
  SetUpAddressBook();
  v1::UpdateServiceRequest update;
  update.set_name("addressbook");
  update.mutable_unpinned()->mutable_pin_on_first_call();
  v1::Service service;
  ASSERT_TRUE(Call(&v1::Registry::Stub::UpdateService, update, &service).ok());
  v1::ProposePinsRequest request;
  request.set_gateway_id("edge-1");
  request.set_registry_id(server_->registry_id());
  for (const char* consumer : {"nobody", "billing", "billing"}) {
    v1::PinProposal& proposal = *request.add_proposals();
    proposal.set_consumer(consumer);
    proposal.set_service("addressbook");
    proposal.set_version("2.0.0");
  }
  const auto propose = [this](const v1::ProposePinsRequest& request,
                              v1::ProposePinsResponse& response) {
    grpc::ClientContext context;
    return watch_->ProposePins(&context, request, &response).error_code();
  };
  v1::ProposePinsResponse response;
  ASSERT_EQ(propose(request, response), grpc::StatusCode::OK);
  EXPECT_THAT(response.outcomes(),
              ElementsAre(v1::ProposePinsResponse::REFUSED, v1::ProposePinsResponse::CREATED,
                          v1::ProposePinsResponse::EXISTED));
  for (int i = 0; i < 64; ++i) *request.add_proposals() = request.proposals(0);
  EXPECT_EQ(propose(request, response), grpc::StatusCode::INVALID_ARGUMENT);
  request.clear_proposals();
  request.set_registry_id("another");
  EXPECT_EQ(propose(request, response), grpc::StatusCode::FAILED_PRECONDITION);
}

// A peer that never answers, as a machine that has lost its power: its connection ends by itself.
TEST_F(RegistryServerTest, AVanishedClientIsLetGo) {
  auto server = RegistryServer::Start(*store_, clock_,
                                      {.address = "127.0.0.1:0",
                                       .keepalive_time = absl::Milliseconds(100),
                                       .keepalive_timeout = absl::Milliseconds(100)});
  ASSERT_TRUE(server.ok()) << server.status();
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>((*server)->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  // The preface and an empty SETTINGS frame, RFC 9113 3.4; then nothing.
  std::string hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  hello.append({0, 0, 0, 4, 0, 0, 0, 0, 0});
  ASSERT_EQ(write(fd, hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
  // So that the test fails rather than hangs.
  const timeval patience = {.tv_sec = 30, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  char buffer[4096];
  ssize_t n = 1;
  while (n > 0) n = read(fd, buffer, sizeof(buffer));
  EXPECT_TRUE(n == 0 || errno == ECONNRESET) << "still open: errno " << errno;
  close(fd);
}

TEST_F(RegistryServerTest, APortIsNotShared) {
  auto one = RegistryServer::Start(*store_, clock_, {.address = "127.0.0.1:0"});
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_GT((*one)->port(), 0);
  EXPECT_EQ((*one)->address(), absl::StrCat("127.0.0.1:", (*one)->port()));
  auto two = RegistryServer::Start(*store_, clock_, {.address = (*one)->address()});
  EXPECT_TRUE(absl::IsUnavailable(two.status()));
  EXPECT_THAT(std::string(two.status().message()), HasSubstr("in use by another process"));
}

TEST_F(RegistryServerTest, CountsWhatMonitoringAsksFor) {
  ASSERT_TRUE(Publish("1.0.0").ok());
  ASSERT_TRUE(Publish("1.1.0").ok());
  EXPECT_FALSE(Publish("no version").ok());
  Register("1.0.0", 9001);
  v1::PinResponse pin;
  EXPECT_EQ(Pin("^1", &pin).error_code(), grpc::StatusCode::NOT_FOUND) << "no such consumer";

  RegistryCounts counts = server_->Counts();
  EXPECT_EQ(counts.registry_id, server_->registry_id());
  EXPECT_EQ(counts.store, "sqlite " + directory_.Path("registry.db"));
  EXPECT_EQ(counts.revision, store_->revision());
  const std::string service = "pinion.registry.v1.Registry/";
  EXPECT_EQ((counts.calls[{service + "PublishVersion", grpc::StatusCode::OK}]), 2);
  EXPECT_EQ((counts.calls[{service + "PublishVersion", grpc::StatusCode::INVALID_ARGUMENT}]), 1);
  EXPECT_EQ((counts.calls[{service + "SetPin", grpc::StatusCode::NOT_FOUND}]), 1);
  const auto committed = static_cast<size_t>(store::CommitOutcome::kCommitted);
  EXPECT_GE(counts.commits.by_outcome[committed], 3);
  EXPECT_TRUE(counts.last_commit.ok());
  EXPECT_EQ(counts.jobs, 0);
  EXPECT_EQ(counts.watch.watchers, 0);
}

}  // namespace
}  // namespace pinion::service
