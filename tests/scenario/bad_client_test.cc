// What gRPC core's tests call bad clients, written anew: bytes that no client should send, from a
// caller that may also hang up in their middle. Each has its stated end, and none is anyone else's
// matter: a call on another connection passes after each.
#include <string>
#include <vector>

#include "gateway/http2/types.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

struct Case {
  const char* name;
  std::string bytes;    // after the preface and SETTINGS
  const char* outcome;  // see Outcome()
};

class BadClientTest : public ScenarioTest {
 protected:
  // "connection CODE", of stream 1 "stream CODE", "status N" or "grpc N", "closed", or "lives".
  static std::string Outcome(const RawPeer& client) {
    const auto name = [](uint32_t code) {
      return std::string(http2::ErrorCodeName(static_cast<http2::ErrorCode>(code)));
    };
    for (const RawPeer::Frame* frame : client.Of(0, h2::kGoAway)) {
      return "connection " + name(frame->u32(4));
    }
    const std::string status = client.FieldOf(1, ":status");
    if (!status.empty() && status != "200") return "status " + status;
    const std::string grpc = client.FieldOf(1, "grpc-status");
    if (!grpc.empty()) return "grpc " + grpc;
    if (const auto code = client.ResetOf(1); code.has_value()) return "stream " + name(*code);
    return client.ended() ? "closed" : "lives";
  }

  void ExpectOthersUnharmed(const std::string& name) {
    const CallRecord& call = Start(Plan()).record;
    Run();
    EXPECT_EQ(call.grpc_status, 0) << name;
  }

  // Nothing of clients that have hung up is left: no call, no connection but client_'s.
  void ExpectNothingLeft() {
    RunFor(absl::Seconds(2));
    EXPECT_EQ(proxy_->stats().calls.value(), 0u);
    EXPECT_EQ(proxy_->stats().connections.value(), 1u);
  }

  // Each case twice: waiting for the gateway's answer, and hanging up at once.
  void RunCases(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      RawPeer& client = ConnectRaw();
      client.Send(c.bytes);
      RunFor(absl::Seconds(2));
      EXPECT_EQ(Outcome(client), c.outcome) << c.name;
      ExpectOthersUnharmed(c.name);
      RawPeer& hasty = ConnectRaw();
      hasty.Send(c.bytes);
      hasty.Close();
      ExpectOthersUnharmed(c.name);
      client.Close();
      ExpectNothingLeft();
    }
  }

  // Stream 1's HEADERS with this block, complete.
  static std::string Block(absl::string_view block, uint8_t flags = h2::kEndHeaders) {
    return h2::Frame(h2::kHeaders, flags, 1, block);
  }

  static std::string Bytes(std::initializer_list<int> bytes) {
    std::string text;
    for (int byte : bytes) text += static_cast<char>(byte);
    return text;
  }

  static h2::Fields Fields(const h2::Fields& more) {
    h2::Fields fields = {{":path", "/acme.Greeter/SayHello"},
                         {":scheme", "http"},
                         {":method", "POST"},
                         {":authority", "localhost"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  }
};

TEST_F(BadClientTest, EveryBeginningOfThePreface) {
  const std::string whole = std::string(h2::kPreface) + h2::Settings();
  for (size_t length = 0; length < whole.size(); ++length) {
    for (const char* next : {"", "X"}) {
      RawPeer client(peer_loop_, network_.Connect(peer_loop_, kGateway), /*client=*/false,
                     whole.substr(0, length) + next);
      RunFor(absl::Seconds(1));
      // A frame is judged when its head is complete; this one's would end with a stream's id.
      const bool wrong =
          *next != '\0' && (length < h2::kPreface.size() || length + 1 == whole.size());
      EXPECT_EQ(client.ended(), wrong) << length << next;
    }
  }
  ExpectOthersUnharmed("preface");
  ExpectNothingLeft();
}

TEST_F(BadClientTest, FramesThatAreCutAnywhere) {
  const std::string whole = h2::Headers(1, Fields({{"content-type", "application/grpc"}})) +
                            h2::Data(1, std::string(5, '\0')) + h2::Settings({{4, 100}}) +
                            h2::Ping() + h2::WindowUpdate(1, 10) + h2::RstStream(1, 8);
  for (size_t length = 0; length < whole.size(); ++length) {
    RawPeer& client = ConnectRaw();
    client.Send(whole.substr(0, length));
    client.Close();
  }
  ExpectOthersUnharmed("cut frames");
  ExpectNothingLeft();
}

TEST_F(BadClientTest, PriorityInHeaders) {
  const uint8_t flags = h2::kEndHeaders | h2::kPriorityFlag;
  std::vector<Case> cases;
  for (size_t length = 0; length < 5; ++length) {
    cases.push_back(
        {"cut", Block(std::string(length, '\0'), flags), "connection FRAME_SIZE_ERROR"});
  }
  cases.push_back({"an empty block", Block(std::string(5, '\0'), flags), "stream PROTOCOL_ERROR"});
  RunCases(cases);
}

TEST_F(BadClientTest, HeaderBlocks) {
  constexpr char kBroken[] = "connection COMPRESSION_ERROR";
  std::vector<Case> cases = {
      {"index beyond the tables", Block(Bytes({0xfe})), kBroken},
      {"name beyond the tables, indexed", Block(Bytes({0x7f, 0x7f, 0x01}) + "a"), kBroken},
      {"name beyond the tables, not indexed", Block(Bytes({0x0f, 0x7f, 0x01}) + "a"), kBroken},
      {"name beyond the tables, never indexed", Block(Bytes({0x1f, 0x7f, 0x01}) + "a"), kBroken},
      {"value cut", Block(Bytes({0x01, 0x02}) + "a"), kBroken},
      {"index zero", Block(Bytes({0x80})), kBroken},
      {"integer that is too long", Block("\xff" + std::string(9, '\x80') + '\x02'), kBroken},
      {"integer of 32 bits", Block(Bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0x0f})), kBroken},
      {"end within a field", Block(Bytes({0x01})), kBroken},
      {"table size: as it is", Block(Bytes({0x3f, 0xe1, 0x1f})), "stream PROTOCOL_ERROR"},
      {"table size: too large", Block(Bytes({0x3f, 0xf1, 0x1f})), kBroken},
      {"table size: twice", Block(Bytes({0x20, 0x3f, 0xe1, 0x1f})), "stream PROTOCOL_ERROR"},
      {"table size: after a field", Block(Bytes({0x84, 0x20})), kBroken},
  };
  for (size_t zeros = 0; zeros < 8; ++zeros) {
    std::string integer = "\xff" + std::string(zeros, '\x80');
    cases.push_back({"integer that does not end", Block(integer), kBroken});
    cases.push_back({"integer with zeros", Block(integer + '\0'), kBroken});
  }
  RunCases(cases);
}

TEST_F(BadClientTest, Continuations) {
  const std::string open = Block("", 0);
  const std::string next = h2::Frame(h2::kContinuation, h2::kEndHeaders, 1);
  RunCases({
      {"an empty block in two frames", open + next, "stream PROTOCOL_ERROR"},
      {"DATA within a block", open + h2::Data(1, ""), "connection PROTOCOL_ERROR"},
      {"HEADERS of another stream within a block", open + h2::Headers(3, {}) + next,
       "connection PROTOCOL_ERROR"},
      {"CONTINUATION first", next, "connection PROTOCOL_ERROR"},
      {"three empty HEADERS", Block("") + Block("") + Block(""), "stream PROTOCOL_ERROR"},
      {"a frame that a fuzzer found", Bytes({0, 0, 0, 1, 0x39, 0x67, 0xed, 0x1d, 0x64}),
       "connection FRAME_SIZE_ERROR"},
  });
}

TEST_F(BadClientTest, Requests) {
  const auto request = [](const h2::Fields& more) {
    return h2::Headers(1, Fields(more), h2::kEndHeaders | h2::kEndStream);
  };
  const std::pair<std::string, std::string> grpc = {"content-type", "application/grpc"};
  RunCases({
      {"text/html", request({{"content-type", "text/html"}, {"te", "trailers"}}), "status 415"},
      {"te: frobnicate", request({grpc, {"te", "frobnicate"}}), "stream PROTOCOL_ERROR"},
      {":path twice", request({{":path", "/acme.Greeter/Other"}, grpc}), "stream PROTOCOL_ERROR"},
      {"grpc-timeout in words", request({grpc, {"grpc-timeout", "15 seconds"}}), "grpc 3"},
      {"grpc-timeout alone", h2::Headers(1, {{"grpc-timeout", "15 seconds"}}),
       "stream PROTOCOL_ERROR"},
      {"a method that does not exist",
       h2::Headers(1, {{":path", "/foo/bar"}, {":scheme", "http"}, {":method", "POST"}, grpc}),
       "grpc 12"},
      {"an even stream", h2::Headers(2, Fields({grpc})), "connection PROTOCOL_ERROR"},
      {"stream 0", h2::Headers(0, Fields({grpc})), "connection PROTOCOL_ERROR"},
      {"a stream that was skipped", h2::Headers(3, Fields({grpc})) + h2::Headers(1, Fields({grpc})),
       "connection PROTOCOL_ERROR"},
  });
}

TEST_F(BadClientTest, MetadataThatIsTooLarge) {
  std::string block = h2::HpackBlock(Fields({{"content-type", "application/grpc"}}));
  for (int i = 0; i < 5; ++i) block += h2::HpackLiteral("x", std::string(15000, 'x'));
  const uint8_t flags = h2::kEndHeaders | h2::kEndStream;
  RunCases({{"75 kB", h2::HeaderFrames(1, block, flags), "grpc 8"},
            {"one value of 140 kB",
             h2::Headers(1, Fields({{"x", std::string(140'000, 'x')}}), flags), "grpc 8"}});
}

// Compression algorithms are between client and server.
TEST_F(BadClientTest, UnknownEncodingsPass) {
  for (const char* name : {"grpc-encoding", "grpc-accept-encoding"}) {
    CallPlan plan = Plan();
    plan.metadata.emplace_back(name, "nobody-knows-this");
    CallBook::Entry& entry = Start(std::move(plan));
    Run();
    EXPECT_EQ(entry.record.grpc_status, 0) << name;
    EXPECT_EQ(*testing::FindField(entry.attempts.at(0)->metadata, name), "nobody-knows-this");
  }
}

TEST_F(BadClientTest, FramesOfTheWrongSizeOrKind) {
  std::string large = h2::Data(1, std::string(65536, 'a'));
  RunCases({
      {"DATA beyond the largest frame", large, "connection FRAME_SIZE_ERROR"},
      {"PRIORITY of 3 bytes", h2::Frame(h2::kPriority, 0, 1, "abc"), "connection FRAME_SIZE_ERROR"},
      {"RST_STREAM of 2 bytes", h2::Frame(h2::kRstStream, 0, 1, "ab"),
       "connection FRAME_SIZE_ERROR"},
      {"SETTINGS of 5 bytes", h2::Frame(h2::kSettings, 0, 0, "abcde"),
       "connection FRAME_SIZE_ERROR"},
      {"PING of 5 bytes", h2::Frame(h2::kPing, 0, 0, "abcde"), "connection FRAME_SIZE_ERROR"},
      {"WINDOW_UPDATE of 1 byte", h2::Frame(h2::kWindowUpdate, 0, 0, "a"),
       "connection FRAME_SIZE_ERROR"},
      {"DATA before HEADERS", h2::Data(1, "x"), "connection PROTOCOL_ERROR"},
      {"WINDOW_UPDATE of an idle stream", h2::WindowUpdate(1, 1), "connection PROTOCOL_ERROR"},
      {"an unknown frame", h2::Frame(0x88, 0, 0, "abc"), "lives"},
      {"unknown frames on a stream that is idle", h2::Frame(0x88, 0, 1, "abc"), "lives"},
      {"SETTINGS with unknown entries", h2::Settings({{0x99, 1}, {0xfffe, 2}}), "lives"},
      {"SETTINGS on a stream", h2::Frame(h2::kSettings, 0, 1), "connection PROTOCOL_ERROR"},
      {"an unasked SETTINGS ACK", h2::SettingsAck(), "lives"},
      {"SETTINGS ACK with a payload", h2::Frame(h2::kSettings, h2::kAck, 0, "abcdef"),
       "connection FRAME_SIZE_ERROR"},
  });
}

TEST_F(BadClientTest, WindowsThatOverflow) {
  const std::string open = h2::Headers(1, Fields({{"content-type", "application/grpc"}}));
  RunCases({
      {"the connection's", h2::WindowUpdate(0, 0x7fffffff), "connection FLOW_CONTROL_ERROR"},
      {"a stream's", open + h2::WindowUpdate(1, 0x7fffffff), "stream FLOW_CONTROL_ERROR"},
  });
}

// More than the stream's window: as much as the gateway has announced, and then some.
TEST_F(BadClientTest, DataBeyondTheWindow) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw();
  std::string bytes = RequestHeaders(1);
  for (int i = 0; i < 6; ++i) bytes += h2::Data(1, std::string(16384, 'a'));
  client.Send(bytes);
  RunFor(absl::Seconds(2));
  EXPECT_EQ(Outcome(client), "stream FLOW_CONTROL_ERROR");
}

// One stream that is not read does not stand in the way of others.
TEST_F(BadClientTest, HeadOfLineBlocking) {
  ListenRaw(kOne);
  RawPeer& client = ConnectRaw(h2::Settings({{4, 0}}));
  client.Send(RequestHeaders(1) + RequestHeaders(3));
  RunUntil([this] {
    return !raw_servers_.empty() && !raw_servers_.back()->Of(3, h2::kHeaders).empty();
  });
  const std::string message = std::string(1, '\0') + h2::U32(1000) + std::string(1000, 'a');
  raw_servers_.back()->Send(ResponseHeaders(1) + h2::Data(1, message) + ResponseHeaders(3) +
                            h2::Data(3, message));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(3), "");
  client.Send(h2::WindowUpdate(3, 100000));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(3), message);
  EXPECT_EQ(client.DataOf(1), "");
}

}  // namespace
}  // namespace pinion::proxy
