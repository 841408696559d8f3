// What a call looks like on its way: frames, header fields, statuses. Nothing is lost, added or
// put into another order, however it is cut; what is malformed goes no further.
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

using h2::Fields;

class FramingTest : public ScenarioTest {
 protected:
  // The one request of a raw server, when it has arrived.
  RawPeer& ServerWithRequest() {
    RunUntil([this] {
      return !raw_servers_.empty() && !raw_servers_.back()->Of(1, h2::kHeaders).empty();
    });
    return *raw_servers_.back();
  }
};

TEST_F(FramingTest, TheMessagePrefixMayBeSplitEverywhere) {
  const std::string message = testing::GrpcMessages(3, {20, 0, 7});
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  server.Send(ResponseHeaders(1));
  for (char byte : message) {
    client.Send(h2::Data(1, std::string(1, byte)));
    server.Send(h2::Data(1, std::string(1, byte)));
    RunFor(absl::Milliseconds(1));
  }
  client.Send(h2::Data(1, "", h2::kEndStream));
  server.Send(Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(server.DataOf(1), message);
  EXPECT_EQ(client.DataOf(1), message);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

TEST_F(FramingTest, ResponsesAroundFrameAndWindowSizes) {
  for (size_t bytes : {16383, 16384, 16385, 65534, 65535, 65536, 65537, 1048575, 1048576}) {
    CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
    plan.response.body.bytes = testing::GrpcMessages(bytes, {bytes - 5});
    const CallRecord& call = Start(plan).record;
    Run();
    EXPECT_EQ(call.grpc_status, 0) << bytes;
    EXPECT_TRUE(call.body == plan.response.body.bytes) << bytes << " became " << call.body.size();
  }
}

TEST_F(FramingTest, RequestsAroundFrameAndWindowSizes) {
  for (size_t bytes : {16384, 65535, 65536, 1048576}) {
    CallPlan plan = Plan();
    plan.request.bytes = testing::GrpcMessages(bytes, {bytes - 5});
    const CallRecord& call = Start(plan).record;
    Run();
    EXPECT_EQ(call.grpc_status, 0) << bytes;
    EXPECT_TRUE(call.body == plan.request.bytes) << bytes << " became " << call.body.size();
  }
}

TEST_F(FramingTest, AMessageOfMoreThanAHundredMegabytes) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.request.bytes = plan.response.body.bytes = testing::GrpcMessages(5, {104'857'601});
  const CallBook::Entry& call = Start(plan);
  Run(absl::Hours(1));
  EXPECT_EQ(call.record.grpc_status, 0);
  EXPECT_TRUE(call.record.body == plan.response.body.bytes) << call.record.body.size();
  EXPECT_TRUE(call.attempts.at(0)->body == plan.request.bytes);
}

TEST_F(FramingTest, TrailersOnlyStaysOneFrame) {
  CallPlan plan = Plan(ResponsePlan::Kind::kTrailersOnly);
  plan.response.grpc_status = 5;
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_TRUE(call.trailers_only);
  EXPECT_EQ(call.grpc_status, 5);
}

TEST_F(FramingTest, HeadersAndTrailersWithoutDataKeepTheTrailers) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.response.trailers = {{"x-late", "yes"}};
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_FALSE(call.trailers_only);
  EXPECT_EQ(call.grpc_status, 0);
  EXPECT_EQ(*testing::FindField(call.trailers, "x-late"), "yes");
}

TEST_F(FramingTest, TrailersPassAtWindowZero) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw(h2::Settings({{4, 0}}));
  client.Send(RequestHeaders(1, {}, h2::kEndHeaders | h2::kEndStream));
  RawPeer& server = ServerWithRequest();
  server.Send(ResponseHeaders(1) + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

TEST_F(FramingTest, TrailersWaitForTheDataBeforeThem) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw(h2::Settings({{4, 3}}));
  client.Send(RequestHeaders(1, {}, h2::kEndHeaders | h2::kEndStream));
  RawPeer& server = ServerWithRequest();
  server.Send(ResponseHeaders(1) + h2::Data(1, "hello") + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(1), "hel");
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "");
  client.Send(h2::WindowUpdate(1, 2));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(1), "hello");
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

TEST_F(FramingTest, ABlockedUploadDoesNotBlockTheSameClientsOtherCalls) {
  CallPlan blocked = Plan(ResponsePlan::Kind::kNeverAnswer);
  blocked.request.bytes = testing::GrpcMessages(1, {500'000});
  blocked.request_reading.pauses = {{0, absl::Hours(1)}};
  blocked.timeout = "30S";
  const CallRecord& stuck = Start(blocked).record;
  RunFor(absl::Seconds(1));
  const CallRecord& free = Start(Plan()).record;
  RunFor(absl::Seconds(1));
  EXPECT_EQ(free.grpc_status, 0);
  EXPECT_EQ(stuck.ends, 0);
  Run();
  EXPECT_EQ(stuck.grpc_status, 4);
}

TEST_F(FramingTest, DuplicateNamesKeepTheirOrder) {
  const testing::Metadata twice = {{"x-twice", "b"}, {"x-twice", "a"}, {"x-twice", "b"}};
  CallPlan plan = Plan(ResponsePlan::Kind::kNormal);
  plan.metadata.insert(plan.metadata.end(), twice.begin(), twice.end());
  plan.response.headers = twice;
  plan.response.trailers = twice;
  const CallBook::Entry& call = Start(plan);
  Run();
  const auto values = [](const testing::Metadata& fields) {
    std::string all;
    for (const auto& [name, value] : fields) {
      if (name == "x-twice") all += value;
    }
    return all;
  };
  EXPECT_EQ(values(call.attempts.at(0)->metadata), "bab");
  EXPECT_EQ(values(call.record.headers), "bab");
  EXPECT_EQ(values(call.record.trailers), "bab");
}

// Also with bad base64, which is the application's affair: it must not hurt a shared connection.
TEST_F(FramingTest, BinaryMetadataAndEncodingPassUnchanged) {
  const testing::Metadata fields = {
      {"x-a-bin", "AAECAw=="},        {"x-a-bin", "AAECAw"},
      {"x-a-bin", "AAE,AgM"},         {"x-a-bin", "%%%"},
      {"grpc-encoding", "x-unknown"}, {"grpc-accept-encoding", "identity,deflate,gzip"}};
  CallPlan plan = Plan();
  plan.metadata.insert(plan.metadata.end(), fields.begin(), fields.end());
  plan.response.headers = fields;
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(call.record.grpc_status, 0);
  for (const testing::Metadata& seen : {call.attempts.at(0)->metadata, call.record.headers}) {
    testing::Metadata kept;
    for (const auto& field : seen) {
      if (std::find(fields.begin(), fields.end(), field) != fields.end()) kept.push_back(field);
    }
    EXPECT_EQ(kept, fields);
  }
}

TEST_F(FramingTest, TeTrailersGoesUpstreamAlsoWhenTheCallerLeftItOut) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(h2::Headers(1, {{":method", "POST"},
                              {":scheme", "http"},
                              {":path", "/acme.Greeter/SayHello"},
                              {":authority", "a.example"},
                              {"content-type", "application/grpc"}}));
  RawPeer& server = ServerWithRequest();
  EXPECT_EQ(server.FieldOf(1, "te"), "trailers");
  EXPECT_EQ(server.FieldOf(1, ":authority"), "a.example");
}

TEST_F(FramingTest, TheVersionHeaderHoldsForOneHop) {
  CallPlan plan = Plan();
  plan.metadata.emplace_back("api-version", "^2");
  const CallBook::Entry& call = Start(plan);
  Run();
  EXPECT_EQ(VersionOf(call.record), "2.0.0");
  EXPECT_EQ(testing::FindField(call.attempts.at(0)->metadata, "api-version"), nullptr);
}

TEST_F(FramingTest, ContentTypesThatAreNotGrpcGet415) {
  struct Case {
    const char* content_type;
    bool grpc;
  };
  const Case cases[] = {{"application/grpc", true},
                        {"application/grpc+proto", true},
                        {"application/grpc;charset=x", true},
                        {"application/grpc-web", false},
                        {"application/grpcx", false},
                        {"application/json", false},
                        {"", false},
                        {"APPLICATION/GRPC", false}};
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  for (const Case& c : cases) {
    Fields fields = h2::Request({{"content-type", c.content_type}});
    fields[2].second = "/acme.Greeter/SayHello";
    const size_t before = raw_servers_.empty() ? 0 : raw_servers_.back()->frames().size();
    client.Send(h2::Headers(id, fields));
    RunFor(absl::Seconds(1));
    EXPECT_EQ(client.FieldOf(id, ":status"), c.grpc ? "" : "415") << c.content_type;
    const size_t after = raw_servers_.empty() ? 0 : raw_servers_.back()->frames().size();
    EXPECT_EQ(after > before, c.grpc) << c.content_type;
    id += 2;
  }
}

TEST_F(FramingTest, InterimResponsesAreNotTheAnswer) {
  CallPlan plan = Plan();
  plan.response.interims = 3;
  const CallRecord& call = Start(plan).record;
  Run();
  EXPECT_EQ(call.grpc_status, 0);
  EXPECT_EQ(testing::FindField(call.headers, "link"), nullptr);
}

// RFC 9113 section 8.2.1.
TEST_F(FramingTest, WhitespaceAroundARequestsValueIsRefused) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  ServerWithRequest();
  uint32_t id = 3;
  for (const char* value : {" a", "a ", "\ta", "a\t", " ", "a\r", "a\nb"}) {
    client.Send(RequestHeaders(id, {{"x-value", value}}));
    RunFor(absl::Milliseconds(100));
    EXPECT_EQ(client.ResetOf(id), 1u) << '"' << value << '"';
    id += 2;
  }
  EXPECT_EQ(raw_servers_.size(), 1u);
  EXPECT_TRUE(raw_servers_[0]->Of(3, h2::kHeaders).empty());
  raw_servers_[0]->Send(ResponseHeaders(1) + Trailers(1, {{"grpc-status", "0"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");  // the other call was left alone
}

TEST_F(FramingTest, WhitespaceAroundAResponsesValueIsNotForwarded) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  for (const char* value : {" a", "a ", "\ta"}) {
    client.Send(RequestHeaders(id));
    RunUntil([&] {
      return !raw_servers_.empty() && !raw_servers_.back()->Of(id, h2::kHeaders).empty();
    });
    raw_servers_.back()->Send(ResponseHeaders(id, {{"x-value", value}}));
    RunFor(absl::Milliseconds(100));
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), "13") << '"' << value << '"';
    EXPECT_EQ(client.FieldOf(id, "x-value"), "");
    EXPECT_TRUE(raw_servers_.back()->ResetOf(id).has_value());
    id += 2;
  }
  EXPECT_EQ(raw_servers_.size(), 1u);
}

TEST_F(FramingTest, MalformedTrailersAreNeverForwarded) {
  const Fields cases[] = {{{"grpc-status", "0"}, {":status", "200"}},
                          {{"grpc-status", "0"}, {"X-Upper", "a"}},
                          {{"grpc-status", "0"}, {"x", "a\r\nb: c"}},
                          {{"grpc-status", "0"}, {"connection", "close"}},
                          {{"grpc-status", " 0"}},
                          {{"", "a"}}};
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  uint32_t id = 1;
  for (const Fields& trailers : cases) {
    client.Send(RequestHeaders(id));
    RunUntil([&] {
      return !raw_servers_.empty() && !raw_servers_.back()->Of(id, h2::kHeaders).empty();
    });
    raw_servers_.back()->Send(ResponseHeaders(id) + h2::Data(id, "hello") + Trailers(id, trailers));
    RunFor(absl::Milliseconds(100));
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), "13") << id;
    EXPECT_EQ(client.DataOf(id), "hello");
    id += 2;
  }
  for (const Fields& trailers : cases) {
    client.Send(RequestHeaders(id) + Trailers(id, trailers));
    RunFor(absl::Milliseconds(100));
    EXPECT_EQ(client.ResetOf(id), 1u) << id;
    // Where the request was on its way already, the instance hears that it is over.
    if (!raw_servers_.back()->Of(id, h2::kHeaders).empty()) {
      EXPECT_EQ(raw_servers_.back()->ResetOf(id), 8u) << id;
    }
    id += 2;
  }
}

TEST_F(FramingTest, HttpStatusesBecomeGrpcStatuses) {
  const std::pair<int, int> cases[] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14},
                                       {502, 14}, {503, 14}, {504, 14}, {500, 2},  {302, 2}};
  for (const auto& [http, grpc] : cases) {
    CallPlan plan = Plan(ResponsePlan::Kind::kHttpError);
    plan.response.http_status = http;
    plan.response.body.bytes = "<html>";
    const CallRecord& call = Start(plan).record;
    Run();
    EXPECT_EQ(call.grpc_status, grpc) << http;
    EXPECT_TRUE(call.trailers_only) << http;
  }
}

CallPlan ErrorPage(CallPlan plan, size_t bytes, absl::Duration pause) {
  plan.response.http_status = 503;
  plan.response.body.bytes = std::string(bytes, 'x');
  plan.response.body.pauses = {{.at_byte = 10, .duration = pause}};
  return plan;
}

TEST_F(FramingTest, AnErrorPageIsReadToItsEndAndNotReset) {
  CallBook::Entry& entry =
      Start(ErrorPage(Plan(ResponsePlan::Kind::kHttpError), 10000, absl::Milliseconds(100)));
  Run();
  EXPECT_EQ(entry.record.grpc_status, 14);
  ASSERT_EQ(entry.attempts.size(), 1u);
  EXPECT_EQ(entry.attempts[0]->end, AttemptRecord::End::kAnswered);
  EXPECT_EQ(entry.attempts[0]->reset_code, http2::ErrorCode::kNoError);
}

TEST_F(FramingTest, AnErrorPageWithoutAnEndIsResetInTime) {
  struct Case {
    size_t bytes;
    absl::Duration pause;
  };
  for (const Case& c : {Case{200'000, absl::ZeroDuration()}, Case{100, absl::Hours(1)}}) {
    CallBook::Entry& entry =
        Start(ErrorPage(Plan(ResponsePlan::Kind::kHttpError), c.bytes, c.pause));
    Run();
    EXPECT_EQ(entry.record.grpc_status, 14);
    EXPECT_LE(entry.record.ended - entry.record.started, absl::Seconds(2));
    RunFor(absl::Seconds(1));
    ASSERT_EQ(entry.attempts.size(), 1u);
    EXPECT_EQ(entry.attempts[0]->end, AttemptRecord::End::kResetByPeer);
  }
}

// h2spec's client cases answer in plain text, and the request may still be on its way then.
TEST_F(FramingTest, AWholeAnswerThatIsNotGrpcLeavesTheRequestToItsEnd) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1));
  RawPeer& server = ServerWithRequest();
  server.Send(h2::Headers(1, {{":status", "503"}, {"content-type", "text/plain"}}) +
              h2::Data(1, "busy", h2::kEndStream));
  RunFor(absl::Minutes(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "14");
  EXPECT_EQ(client.ResetOf(1), std::nullopt);
  client.Send(h2::Data(1, "rest", h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(server.DataOf(1), "rest");
  EXPECT_EQ(server.ResetOf(1), std::nullopt);
  EXPECT_EQ(proxy_->stats().calls.value(), 0u);
}

TEST_F(FramingTest, AnAnswerWithoutGrpcStatusIsUnknown) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  client.Send(RequestHeaders(1) + RequestHeaders(3) + RequestHeaders(5));
  RunUntil(
      [&] { return !raw_servers_.empty() && !raw_servers_.back()->Of(5, h2::kHeaders).empty(); });
  raw_servers_.back()->Send(ResponseHeaders(1) + h2::Data(1, "", h2::kEndStream) +
                            ResponseHeaders(3) + h2::Data(3, "hello", h2::kEndStream) +
                            ResponseHeaders(5) + Trailers(5, {{"x-only", "this"}}));
  RunFor(absl::Seconds(1));
  for (uint32_t id : {1, 3, 5}) EXPECT_EQ(client.FieldOf(id, "grpc-status"), "2") << id;
  EXPECT_EQ(client.DataOf(3), "hello");
  EXPECT_EQ(client.FieldOf(5, "x-only"), "this");
}

}  // namespace
}  // namespace pinion::proxy
