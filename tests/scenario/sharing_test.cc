// Calls of many callers share an instance's connection and a worker: whatever one caller leaves
// unread, and whatever one instance sends, another's call does not wait for it.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gateway/limits.h"
#include "gateway/upstream_limits.h"
#include "gmock/gmock.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

constexpr uint32_t kEnhanceYourCalm = 11;

class SharingTest : public ScenarioTest {
 protected:
  // All calls to 1.0.0 on one connection from now on.
  void ShareOneConnection(absl::Duration pending_max = limits::kPendingMax) {
    Options options;
    options.upstream.pending_max = pending_max;
    options.upstream.instance_connections_max = 1;
    UseOptions(options);
    http2::Options server;
    server.max_concurrent_streams = 1000;
    one_ = AddServer("1.0.0", kOne, server);
    ConnectClient();
  }

  static CallPlan Download(size_t bytes) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.body.bytes = testing::GrpcMessages(1, {bytes});
    return plan;
  }

  static CallPlan NeverRead(size_t bytes) {
    CallPlan plan = Download(bytes);
    plan.response_reading.pauses = {{.at_byte = 0, .duration = absl::Hours(1000)}};
    return plan;
  }

  // From some of its bytes on, what is sent to 1.0.0 is not read for so long.
  void StallOne(absl::Duration stall) {
    network_.set_policy([stall](const net::Endpoint& at) {
      testing::LinkPolicy policy;
      if (at != kOne) return policy;
      policy.to_acceptor.capacity_bytes = 64 * 1024;
      policy.to_acceptor.stall_at_byte = 10'000;
      policy.to_acceptor.stall = stall;
      return policy;
    });
  }

  // Calls whose metadata fits into the gateway's bound, and that no HPACK table takes: 5 MB. Their
  // answers take long.
  std::vector<const CallRecord*> StartHeavy() {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.delay = absl::Seconds(20);
    const size_t field_bytes = kHeavyBytes / 18;
    for (int i = 0; i < 18; ++i) plan.metadata.emplace_back("x", std::string(field_bytes, 'x'));
    std::vector<const CallRecord*> calls;
    for (int client = 0; client < 4; ++client) {
      ConnectClient();
      for (int i = 0; i < 25; ++i) calls.push_back(&Start(plan).record);
    }
    return calls;
  }
  static constexpr size_t kHeavyBytes = 54'000;

  // A hundred thousand of the same frame.
  static std::string Repeated(const std::string& frame) {
    std::string frames;
    for (int i = 0; i < 100'000; ++i) frames += frame;
    return frames;
  }

  // How long the call takes from now on. Others go on as they do.
  absl::Duration TimeOf(CallPlan plan) {
    const CallRecord& call = Start(std::move(plan)).record;
    RunUntil([&call] { return call.ends > 0; });
    EXPECT_EQ(call.grpc_status, 0) << call.grpc_message;
    return call.ended - call.started;
  }

  // Of ten such calls: latencies are drawn anew for each segment.
  absl::Duration WorstTimeOf(const CallPlan& plan) {
    absl::Duration worst;
    for (int i = 0; i < 10; ++i) worst = std::max(worst, TimeOf(plan));
    return worst;
  }
};

TEST_F(SharingTest, AHundredReadersThatNeverReadDelayNobody) {
  constexpr size_t kBytes = 4 << 20;
  ShareOneConnection();
  const absl::Duration alone = WorstTimeOf(Download(kBytes));
  std::vector<const CallBook::Entry*> unread;
  for (int client = 0; client < 10; ++client) {
    ConnectClient();
    for (int i = 0; i < 10; ++i) unread.push_back(&Start(NeverRead(kBytes)));
  }
  RunFor(absl::Seconds(10));
  EXPECT_LE(TimeOf(Download(kBytes)), 2 * alone) << "beside nine of its caller's own";
  ConnectClient();
  EXPECT_LE(TimeOf(Download(kBytes)), 2 * alone);
  EXPECT_EQ(network_.connects(kOne), 1u);
  for (const CallBook::Entry* call : unread) {
    ASSERT_EQ(call->attempts.size(), 1u);
    EXPECT_EQ(call->record.ends, 0);
  }
}

// The other direction: instances that never read, on one connection of a caller.
TEST_F(SharingTest, UploadsThatNobodyReadsDelayNobody) {
  constexpr size_t kBytes = 4 << 20;
  ShareOneConnection();
  CallPlan upload = Plan();
  upload.request.bytes = testing::GrpcMessages(1, {kBytes});
  const absl::Duration alone = WorstTimeOf(upload);
  CallPlan unread = upload;
  unread.request_reading.pauses = {{.at_byte = 0, .duration = absl::Hours(1000)}};
  for (int i = 0; i < 90; ++i) Start(unread);
  RunFor(absl::Seconds(10));
  EXPECT_LE(TimeOf(upload), 2 * alone);
  EXPECT_EQ(network_.connects(kOne), 1u);
}

// Many servers open a connection's window only as calls are read.
TEST_F(SharingTest, ARequestThatShutsTheConnectionsWindowDelaysNobodyElse) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  for (int i = 0; i < 4; ++i) client.Send(h2::Data(1, std::string(16'383, 'x')));
  RunFor(absl::Seconds(1));
  ASSERT_EQ(raw_servers_.size(), 1u);
  client.Send(h2::Data(1, "what the window of 65,535 does not hold"));
  RunFor(absl::Seconds(1));
  RawPeer& other = ConnectRaw();
  other.Send(RequestHeaders(1) + h2::Data(1, "hello", h2::kEndStream));
  RunFor(absl::Seconds(1));
  ASSERT_EQ(raw_servers_.size(), 2u);
  EXPECT_EQ(raw_servers_[1]->DataOf(1), "hello");
  // When the window opens again, the connection takes calls as before.
  raw_servers_[0]->Send(h2::WindowUpdate(0, 100'000) + h2::WindowUpdate(1, 100'000));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(raw_servers_[0]->DataOf(1).size(), 4 * 16'383u + 39u);
  other.Send(RequestHeaders(3) + h2::Data(3, "again", h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(raw_servers_[0]->DataOf(3), "again");
}

TEST_F(SharingTest, WhereThereCannotBeAnotherAConnectionWithAShutWindowTakesCalls) {
  ShareOneConnection();
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  for (int i = 0; i < 5; ++i) client.Send(h2::Data(1, std::string(13'107, 'x')));
  RunFor(absl::Seconds(1));
  client.Send(RequestHeaders(3, {}, h2::kEndHeaders | h2::kEndStream));
  RunFor(absl::Seconds(1));
  ASSERT_EQ(raw_servers_.size(), 1u);
  EXPECT_EQ(raw_servers_[0]->Of(3, h2::kHeaders).size(), 1u);
}

// Its own first window, and twice ours: the first window passed on so quickly that it grew.
TEST_F(SharingTest, AReaderThatNeverReadsCostsThreeWindows) {
  const CallBook::Entry& call = Start(NeverRead(32 << 20));
  RunFor(absl::Minutes(1));
  ASSERT_EQ(call.attempts.size(), 1u);
  EXPECT_EQ(call.record.body.size(), limits::kStreamWindowBytes);
  EXPECT_LE(call.attempts[0]->response_bytes_sent, 3 * limits::kStreamWindowBytes);
}

TEST_F(SharingTest, BothDirectionsBlockedGoOnWhenSomebodyReads) {
  CallPlan plan = Plan();
  plan.request.bytes = testing::GrpcMessages(1, {2 << 20});
  plan.request_reading.pauses = {{.at_byte = 100'000, .duration = absl::Seconds(20)}};
  plan.response_reading.pauses = {{.at_byte = 0, .duration = absl::Seconds(30)}};
  const CallRecord& call = Start(plan).record;
  RunFor(absl::Seconds(29));
  EXPECT_EQ(call.ends, 0);
  Run();
  EXPECT_EQ(call.grpc_status, 0);
  EXPECT_TRUE(call.body == plan.request.bytes) << call.body.size();
}

TEST_F(SharingTest, AnAnswerWithAHugeFieldHarmsNobodyElse) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  RawPeer& other = ConnectRaw();
  client.Send(RequestHeaders(1) + RequestHeaders(3));
  RunUntil(
      [this] { return !raw_servers_.empty() && !raw_servers_[0]->Of(3, h2::kHeaders).empty(); });
  other.Send(RequestHeaders(1));
  RunUntil([this] { return !raw_servers_[0]->Of(5, h2::kHeaders).empty(); });
  const std::string huge(100'000, 'x');
  raw_servers_[0]->Send(ResponseHeaders(1, {{"x", huge}}) + ResponseHeaders(3) +
                        Trailers(3, {{"grpc-status", "0"}, {"x", huge}}) + ResponseHeaders(5) +
                        Trailers(5, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  for (uint32_t id : {1, 3}) EXPECT_EQ(client.FieldOf(id, "grpc-status"), "8") << id;
  EXPECT_EQ(other.FieldOf(1, "grpc-status"), "0");
}

// Each would take its connection, and everybody's calls on it, beyond what may wait there.
TEST_F(SharingTest, MetadataThatAnInstanceDoesNotReadWaitsForItsTurn) {
  StallOne(absl::Hours(1));
  ShareOneConnection(/*pending_max=*/absl::Seconds(3));
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.delay = absl::Seconds(5);
  const CallRecord& neighbour = Start(plan).record;
  RunFor(absl::Seconds(1));
  const std::vector<const CallRecord*> heavy = StartHeavy();
  RunFor(absl::Seconds(5));
  EXPECT_EQ(neighbour.grpc_status, 0) << neighbour.grpc_message;
  size_t sent = 0;
  for (const CallRecord* call : heavy) {
    if (call->ends > 0) {
      EXPECT_EQ(call->grpc_status, 14);
    } else {
      ++sent;
    }
  }
  EXPECT_GE(sent * kHeavyBytes, limits::kUnwrittenBytesMax);
  EXPECT_LE(sent * kHeavyBytes, limits::kUnwrittenBytesMax + 4 * kHeavyBytes);
  EXPECT_EQ(network_.connects(kOne), 1u);
}

// Though no call ends meanwhile.
TEST_F(SharingTest, MetadataThatWaitedGoesOnWhenTheInstanceReads) {
  StallOne(absl::Seconds(5));
  ShareOneConnection();
  const std::vector<const CallRecord*> heavy = StartHeavy();
  Run();
  for (const CallRecord* call : heavy) EXPECT_EQ(call->grpc_status, 0) << call->grpc_message;
  EXPECT_EQ(network_.connects(kOne), 1u);
}

// As servers of Java announce it; they end the connection of a client that sends more.
TEST_F(SharingTest, MetadataBeyondWhatTheInstanceTakesEndsOnlyItsCall) {
  constexpr uint16_t kMaxHeaderListSize = 6;
  ListenRaw(kOne, h2::Settings({{kMaxHeaderListSize, 8192}}));
  const h2::Fields large(4, {"x", std::string(3000, 'x')});
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1, large));  // waits for the connection
  client.Send(RequestHeaders(3));
  RunFor(absl::Seconds(1));
  client.Send(RequestHeaders(5, large));
  client.Send(RequestHeaders(7) + Trailers(7, large));
  RunFor(absl::Seconds(1));
  for (uint32_t id : {1, 5, 7}) {
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), "8") << id;
    EXPECT_THAT(client.FieldOf(id, "grpc-message"), ::testing::HasSubstr("takes 8192")) << id;
  }
  ASSERT_EQ(raw_servers_.size(), 1u);
  RawPeer& server = *raw_servers_[0];
  for (const RawPeer::Frame& frame : server.frames()) EXPECT_LT(frame.payload.size(), 8192u);
  EXPECT_EQ(server.Of(3, h2::kHeaders).size(), 1u) << "of the call that trailers came for";
  EXPECT_TRUE(server.Of(5, h2::kHeaders).empty());
  server.Send(ResponseHeaders(1) + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(3, "grpc-status"), "0");
  EXPECT_EQ(std::as_const(*proxy_).limits().value(http2::Limit::kHeaderList), 3u);
}

TEST_F(SharingTest, MetadataIsMeasuredAsTheInstanceWould) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1, {{"x", std::string(100, 'x')}}));
  RunFor(absl::Seconds(1));
  size_t bytes = 0;
  for (const auto& [name, value] : raw_servers_.at(0)->Of(1, h2::kHeaders).at(0)->fields) {
    bytes += name.size() + value.size() + 32;
  }
  raw_servers_[0]->Send(h2::Settings({{6, static_cast<uint32_t>(bytes)}}));
  RunFor(absl::Seconds(1));
  client.Send(RequestHeaders(3, {{"x", std::string(100, 'x')}}));
  client.Send(RequestHeaders(5, {{"x", std::string(101, 'x')}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(raw_servers_[0]->Of(3, h2::kHeaders).size(), 1u);
  EXPECT_EQ(client.FieldOf(5, "grpc-status"), "8");
}

TEST_F(SharingTest, AFloodFromOneInstanceDoesNotStarveCallsToAnother) {
  CallPlan other = Download(1 << 20);
  other.metadata.emplace_back("api-version", "2.0.0");
  const absl::Duration alone = WorstTimeOf(other);
  const std::string interim = h2::Headers(1, {{":status", "103"}});
  const std::pair<std::string, std::string> floods[] = {
      {"empty DATA", ResponseHeaders(1) + Repeated(h2::Data(1, ""))},
      {"1xx", Repeated(interim)},
      {"PING", Repeated(h2::Ping())},
      {"SETTINGS", Repeated(h2::Settings())}};
  ListenRaw(kOne);
  for (const auto& [name, flood] : floods) {
    const CallRecord& flooded = Start(Plan()).record;
    const size_t before = raw_servers_.size();
    RunUntil([&] {
      return raw_servers_.size() > before && !raw_servers_.back()->Of(1, h2::kHeaders).empty();
    });
    RawPeer& server = *raw_servers_.back();
    server.Send(flood);
    EXPECT_LE(TimeOf(other), 2 * alone) << name;
    RunFor(absl::Seconds(2));
    ASSERT_EQ(server.Of(0, h2::kGoAway).size(), 1u) << name;
    EXPECT_EQ(server.Of(0, h2::kGoAway)[0]->u32(4), kEnhanceYourCalm) << name;
    EXPECT_EQ(flooded.grpc_status, 14) << name;
  }
}

}  // namespace
}  // namespace pinion::proxy
