// Calls that the gateway answers itself are calls like all others: they end in time, with one
// status, and do not keep a connection that is to go.
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gateway/builtin/limits.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "tests/scenario/scenario.h"

namespace pinion::proxy {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

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
  static std::string AskReflection(uint32_t stream_id, const h2::Fields& more = {}) {
    h2::Fields fields = {{":path", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return Ask(stream_id, "", fields);
  }
  static std::string Message(uint32_t stream_id, const google::protobuf::Message& message,
                             uint8_t flags = 0) {
    const std::string bytes = message.SerializeAsString();
    return h2::Data(stream_id,
                    std::string(1, '\0') + h2::U32(static_cast<uint32_t>(bytes.size())) + bytes,
                    flags);
  }
  template <typename T>
  static std::vector<T> AnswersOf(const RawPeer& client, uint32_t stream_id) {
    const std::string data = client.DataOf(stream_id);
    std::vector<T> answers;
    for (size_t at = 0; at < data.size();) {
      size_t size = 0;
      for (size_t i = 1; i < 5; ++i) size = size << 8 | static_cast<uint8_t>(data[at + i]);
      if (data.size() - at < 5 + size ||
          !answers.emplace_back().ParseFromString(data.substr(at + 5, size))) {
        ADD_FAILURE() << "not messages: " << data.size() << " bytes";
        break;
      }
      at += 5 + size;
    }
    return answers;
  }
  template <typename T>
  static T AnswerOf(const RawPeer& client, uint32_t stream_id) {
    const std::vector<T> answers = AnswersOf<T>(client, stream_id);
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? T() : answers[0];
  }
  // Returns the file of the schema that the greeter has from now on.
  std::string PutLargeSchema() {
    google::protobuf::FileDescriptorSet set;
    set.add_file()->set_name("large.proto");
    for (int i = 0; i < 20'000; ++i) {
      set.mutable_file(0)->add_message_type()->set_name(absl::StrCat("Message", i));
    }
    tables_.PutSchema("large", set.SerializeAsString());
    Put({"version { service: 'greeter' name: '1.0.0' state: ACTIVE schema_digest: 'large' }"});
    return set.file(0).SerializeAsString();
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

TEST_F(BuiltinCallTest, WhereConsumersAreRequiredOthersSeeNoServices) {
  listener_.consumer_required = true;
  RawPeer& client = ConnectRaw();
  ServerReflectionRequest list;
  list.set_list_services("*");
  HealthCheckRequest greeter;
  greeter.set_service("acme.Greeter");
  const h2::Fields known = {{"api-consumer", "shipping"}};
  client.Send(AskReflection(1) + Message(1, list, h2::kEndStream) + AskReflection(3, known) +
              Message(3, list, h2::kEndStream) + Ask(5, "Check") +
              Message(5, HealthCheckRequest(), h2::kEndStream) + Ask(7, "Check") +
              Message(7, greeter, h2::kEndStream) + Ask(9, "Check", known) +
              Message(9, greeter, h2::kEndStream));
  RunFor(absl::Seconds(1));
  const auto services = [&client](uint32_t id) {
    return AnswerOf<ServerReflectionResponse>(client, id).list_services_response().service_size();
  };
  const auto health = [&client](uint32_t id) {
    return AnswerOf<HealthCheckResponse>(client, id).status();
  };
  EXPECT_EQ(services(1), 3) << "the gateway's own";
  EXPECT_EQ(services(3), 4);
  EXPECT_EQ(health(5), HealthCheckResponse::SERVING) << "readiness needs no credential";
  EXPECT_EQ(health(7), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(health(9), HealthCheckResponse::SERVING);
}

// Its pieces and the end come in order, whenever they may be sent.
TEST_F(BuiltinCallTest, ALargeAnswerComesWholeThroughSmallWindows) {
  const std::string file = PutLargeSchema();
  RawPeer& client = ConnectRaw(h2::Settings({{4, 1000}}));
  ServerReflectionRequest request;
  request.set_file_by_filename("large.proto");
  client.Send(AskReflection(1) + Message(1, request, h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(1).size(), 1000u);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "");
  constexpr uint32_t kMore = 30'011;  // fits neither frames nor pieces
  for (size_t sent = 0; sent < 2 * file.size(); sent += kMore) {
    client.Send(h2::WindowUpdate(0, kMore) + h2::WindowUpdate(1, kMore));
    RunFor(absl::Milliseconds(10));
  }
  const auto answer = AnswerOf<ServerReflectionResponse>(client, 1);
  ASSERT_EQ(answer.file_descriptor_response().file_descriptor_proto_size(), 1);
  EXPECT_TRUE(answer.file_descriptor_response().file_descriptor_proto(0) == file);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "0");
}

TEST_F(BuiltinCallTest, ADeadlineEndsALargeAnswer) {
  PutLargeSchema();
  RawPeer& client = ConnectRaw();
  ServerReflectionRequest request;
  request.set_file_by_filename("large.proto");
  client.Send(AskReflection(1, {{"grpc-timeout", "500m"}}) + Message(1, request, h2::kEndStream));
  RunFor(absl::Seconds(1));
  EXPECT_EQ(client.DataOf(1).size(), 65'535u);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "4");
}

TEST_F(BuiltinCallTest, ReflectionOfManyServicesLeavesTimeForCalls) {
  constexpr int kServices = 100;
  for (int i = 1; i < kServices; ++i) {
    Put({absl::StrCat("service { name: 's", i, "' scheme: SEMVER grpc_services: 'acme.S", i,
                      "' }")});
  }
  constexpr auto kAllowed = static_cast<int>(limits::kReflectionLooksBurst / kServices);
  ServerReflectionRequest request;
  request.set_file_by_filename("none.proto");
  RawPeer& client = ConnectRaw();
  client.Send(AskReflection(1));
  for (int i = 0; i < 2 * kAllowed; ++i) client.Send(Message(1, request));
  RunFor(absl::Milliseconds(10));
  // And again when time has passed.
  RunFor(absl::Seconds(1));
  client.Send(Message(1, request, h2::kEndStream));
  RunFor(absl::Seconds(1));
  std::vector<int> codes;
  for (const auto& answer : AnswersOf<ServerReflectionResponse>(client, 1)) {
    codes.push_back(answer.error_response().error_code());
  }
  ASSERT_EQ(codes.size(), 2u * kAllowed + 1);
  const auto answered = std::count(codes.begin(), codes.end() - 1, 5);
  EXPECT_GE(answered, kAllowed);
  EXPECT_LT(answered, 3 * kAllowed / 2) << "what 10 ms and the burst allow";
  EXPECT_EQ(codes[codes.size() - 2], 8);
  EXPECT_EQ(codes.back(), 5);
  EXPECT_EQ(std::as_const(*proxy_).limits().value(http2::Limit::kReflection),
            codes.size() - 1 - static_cast<size_t>(answered));
}

TEST_F(BuiltinCallTest, ALargeAnswerComesWholeBeforeTheLastWordOfItsConnection) {
  const std::string file = PutLargeSchema();
  RawPeer& client = ConnectRaw();
  ServerReflectionRequest request;
  request.set_file_by_filename("large.proto");
  client.Send(AskReflection(1) + Message(1, request));
  RunFor(absl::Milliseconds(100));
  proxy_->Drain();
  RunFor(limits::kGoAwayGrace + limits::kLinger);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "");
  const auto rest = static_cast<uint32_t>(file.size());
  client.Send(h2::WindowUpdate(0, rest) + h2::WindowUpdate(1, rest));
  RunFor(absl::Seconds(1));
  const auto answer = AnswerOf<ServerReflectionResponse>(client, 1);
  EXPECT_EQ(answer.file_descriptor_response().file_descriptor_proto_size(), 1);
  EXPECT_EQ(client.FieldOf(1, "grpc-status"), "14");
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
