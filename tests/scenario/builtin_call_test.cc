// Calls that the gateway answers itself are calls like all others: they end in time, with one
// status, and do not keep a connection that is to go.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

class BuiltinCallTest : public ScenarioTest {
 protected:
  static std::string Ask(uint32_t stream_id, const std::string& method,
                         const h2::Fields& more = {}) {
    h2::Fields fields = {{":method", "POST"},
                         {":scheme", "http"},
                         {":path", "/grpc.health.v1.Health/" + method},
                         {":authority", "gateway.example"},
                         {"te", "trailers"},
                         {"content-type", "application/grpc"}};
    for (const auto& [name, value] : more) {
      const auto place = std::find_if(fields.begin(), fields.end(),
                                      [&name = name](const auto& f) { return f.first == name; });
      if (place == fields.end()) {
        fields.emplace_back(name, value);
      } else {
        place->second = value;
      }
    }
    return h2::Headers(stream_id, fields);
  }
  static std::string Empty(uint32_t stream_id, uint8_t flags = 0) {
    return h2::Data(stream_id, std::string(5, '\0'), flags);
  }
};

TEST_F(BuiltinCallTest, ARequestThatEndsWithinAMessageGetsAStatus) {
  RawPeer& client = ConnectRaw();
  const std::vector<std::string> bodies = {
      std::string(2, '\0'), std::string(4, '\0') + '\x05' + "abc", std::string(5, '\0') + '\0'};
  uint32_t id = 1;
  for (const std::string& body : bodies) {
    client.Send(Ask(id, "Watch") + h2::Data(id, body, h2::kEndStream));
    RunFor(absl::Seconds(1));
    EXPECT_EQ(client.FieldOf(id, "grpc-status"), "13") << id;
    EXPECT_EQ(client.FieldOf(id, "grpc-message"), "the request ended within a message") << id;
    id += 2;
  }
}

TEST_F(BuiltinCallTest, AWatchEndsAtItsDeadline) {
  RawPeer& client = ConnectRaw();
  client.Send(Ask(1, "Watch", {{"grpc-timeout", "500m"}}) + Empty(1, h2::kEndStream));
  RunFor(absl::Milliseconds(400));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "");
  EXPECT_FALSE(client.DataOf(1).empty());
  RunFor(absl::Milliseconds(200));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "4");
}

// Its answer waits for a window that never opens.
TEST_F(BuiltinCallTest, ADeadlineEndsACallWhoseReaderReadsNothing) {
  RawPeer& client = ConnectRaw(h2::Settings({{4, 0}}));
  client.Send(Ask(1, "Check", {{"grpc-timeout", "500m"}}) + Empty(1, h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "4");
}

TEST_F(BuiltinCallTest, AbsurdTimeoutsGetOneClearStatus) {
  RawPeer& client = ConnectRaw();
  client.Send(Ask(1, "Check", {{"grpc-timeout", "soon"}}) +
              Ask(3, "Check", {{"grpc-timeout", "0S"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "3");
  EXPECT_EQ(client.FieldOf(3, "grpc-status"), "4");
}

TEST_F(BuiltinCallTest, OtherProtocolsGet415) {
  RawPeer& client = ConnectRaw();
  client.Send(Ask(1, "Check", {{"content-type", "application/json"}}) +
              Ask(3, "Check", {{":method", "GET"}}));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.FieldOf(1, ":status"), "415");
  EXPECT_EQ(client.FieldOf(3, "grpc-status"), "13");
}

TEST_F(BuiltinCallTest, AWatchDoesNotKeepAConnectionThatIsToGo) {
  RawPeer& client = ConnectRaw();
  client.Send(Ask(1, "Watch") + Empty(1) + Ask(3, "Watch") + Empty(3, h2::kEndStream));
  RunFor(absl::Milliseconds(100));
  proxy_->Drain();
  RunFor(absl::Milliseconds(100));
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "");
  RunFor(limits::kGoAwayGrace + limits::kLinger);
  for (uint32_t id : {1, 3}) EXPECT_EQ(client.FieldOf(id, "grpc-status"), "14") << id;
  EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace pinion::proxy
