#include "tests/conformance/peers/cases.h"

#include <array>
#include <chrono>
#include <thread>

namespace pinion::interop {
namespace {

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
namespace wire = grpc::testing;

constexpr auto kCallTime = std::chrono::seconds(20);
constexpr std::array<int, 4> kRequestSizes = {27182, 8, 1828, 45904};
constexpr std::array<int, 4> kResponseSizes = {31415, 9, 2653, 58979};
constexpr char kInitialKey[] = "x-grpc-test-echo-initial";
constexpr char kInitialValue[] = "test_initial_metadata_value";
constexpr char kTrailingKey[] = "x-grpc-test-echo-trailing-bin";
constexpr char kTrailingValue[] = "\xab\xab\xab";
constexpr char kStatusMessage[] = "test status message";
constexpr char kSpecialMessage[] =
    "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";
constexpr int kSoakCalls = 20;
constexpr int kConcurrentCalls = 100;

wire::StreamingOutputCallRequest StreamRequest(int response_bytes, int request_bytes) {
  wire::StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(response_bytes);
  request.mutable_payload()->set_body(std::string(request_bytes, '\0'));
  return request;
}

std::string Unary(Session& session) {
  const auto context = session.Context();
  wire::SimpleResponse response;
  const Status status = session.stub().UnaryCall(context.get(), LargeRequest(), &response);
  return First({ExpectStatus(status, StatusCode::OK),
                ExpectBytes(response.payload().body().size(), kResponseBytes)});
}

std::string PingPong(Session& session) {
  const auto context = session.Context();
  const auto stream = session.stub().FullDuplexCall(context.get());
  wire::StreamingOutputCallResponse response;
  for (size_t i = 0; i < kRequestSizes.size(); ++i) {
    if (!stream->Write(StreamRequest(kResponseSizes[i], kRequestSizes[i]))) break;
    if (!stream->Read(&response)) break;
    const std::string problem = ExpectBytes(response.payload().body().size(), kResponseSizes[i]);
    if (!problem.empty()) return problem;
  }
  stream->WritesDone();
  const bool more = stream->Read(&response);
  return First({ExpectStatus(stream->Finish(), StatusCode::OK),
                more ? "an answer that nobody asked for" : ""});
}

std::string EmptyUnary(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  wire::Empty response;
  return ExpectStatus(session.stub().EmptyCall(context.get(), wire::Empty(), &response),
                      StatusCode::OK);
}

std::string LargeUnary(const Target& target) {
  Session session(target);
  return Unary(session);
}

std::string ClientStreaming(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  wire::StreamingInputCallResponse response;
  const auto writer = session.stub().StreamingInputCall(context.get(), &response);
  size_t sum = 0;
  for (int size : kRequestSizes) {
    wire::StreamingInputCallRequest request;
    request.mutable_payload()->set_body(std::string(size, '\0'));
    if (!writer->Write(request)) break;
    sum += size;
  }
  writer->WritesDone();
  return First({ExpectStatus(writer->Finish(), StatusCode::OK),
                ExpectBytes(response.aggregated_payload_size(), sum)});
}

std::string ServerStreaming(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  wire::StreamingOutputCallRequest request;
  for (int size : kResponseSizes) request.add_response_parameters()->set_size(size);
  const auto reader = session.stub().StreamingOutputCall(context.get(), request);
  wire::StreamingOutputCallResponse response;
  size_t count = 0;
  while (reader->Read(&response) && count < kResponseSizes.size()) {
    const std::string problem =
        ExpectBytes(response.payload().body().size(), kResponseSizes[count++]);
    if (!problem.empty()) return problem;
  }
  return First({ExpectStatus(reader->Finish(), StatusCode::OK),
                Expect("answers", std::to_string(count), std::to_string(kResponseSizes.size()))});
}

std::string PingPongCase(const Target& target) {
  Session session(target);
  return PingPong(session);
}

std::string EmptyStream(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  const auto stream = session.stub().FullDuplexCall(context.get());
  stream->WritesDone();
  wire::StreamingOutputCallResponse response;
  const bool more = stream->Read(&response);
  return First({ExpectStatus(stream->Finish(), StatusCode::OK), more ? "an answer" : ""});
}

std::string CancelAfterBegin(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  wire::StreamingInputCallResponse response;
  const auto writer = session.stub().StreamingInputCall(context.get(), &response);
  context->TryCancel();
  return ExpectStatus(writer->Finish(), StatusCode::CANCELLED);
}

std::string CancelAfterFirstResponse(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  const auto stream = session.stub().FullDuplexCall(context.get());
  wire::StreamingOutputCallResponse response;
  if (!stream->Write(StreamRequest(kResponseSizes[0], kRequestSizes[0])) ||
      !stream->Read(&response)) {
    return "no first answer: " + stream->Finish().error_message();
  }
  context->TryCancel();
  return ExpectStatus(stream->Finish(), StatusCode::CANCELLED);
}

std::string TimeoutOnSleepingServer(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  // style: allow clock, gRPC's deadlines are wall-clock times
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  const auto stream = session.stub().FullDuplexCall(context.get());
  wire::StreamingOutputCallRequest request = StreamRequest(kResponseSizes[0], kRequestSizes[0]);
  request.mutable_response_parameters(0)->set_interval_us(200'000);
  stream->Write(request);
  wire::StreamingOutputCallResponse response;
  stream->Read(&response);
  return ExpectStatus(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

std::string Value(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                  const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "none" : std::string(found->second.data(), found->second.size());
}

std::string CheckMetadata(const ClientContext& context) {
  return First({Expect("initial metadata", Value(context.GetServerInitialMetadata(), kInitialKey),
                       kInitialValue),
                Expect("trailing metadata",
                       Value(context.GetServerTrailingMetadata(), kTrailingKey), kTrailingValue)});
}

std::string CustomMetadata(const Target& target) {
  Target with = target;
  with.metadata.insert(with.metadata.end(),
                       {{kInitialKey, kInitialValue}, {kTrailingKey, kTrailingValue}});
  Session sender(with);
  const auto unary = sender.Context();
  wire::SimpleResponse response;
  Status status = sender.stub().UnaryCall(unary.get(), LargeRequest(), &response);
  std::string problem = First({ExpectStatus(status, StatusCode::OK), CheckMetadata(*unary)});
  if (!problem.empty()) return problem;
  const auto streaming = sender.Context();
  const auto stream = sender.stub().FullDuplexCall(streaming.get());
  stream->Write(StreamRequest(kResponseBytes, kRequestBytes));
  stream->WritesDone();
  wire::StreamingOutputCallResponse part;
  while (stream->Read(&part)) continue;
  status = stream->Finish();
  return First({ExpectStatus(status, StatusCode::OK), CheckMetadata(*streaming)});
}

std::string ExpectEcho(const Status& status, const char* message) {
  return First({ExpectStatus(status, StatusCode::UNKNOWN),
                Expect("message", status.error_message(), message)});
}

std::string StatusCodeAndMessage(const Target& target) {
  Session session(target);
  wire::EchoStatus echo;
  echo.set_code(StatusCode::UNKNOWN);
  echo.set_message(kStatusMessage);
  wire::SimpleRequest request;
  *request.mutable_response_status() = echo;
  wire::SimpleResponse response;
  const auto unary = session.Context();
  std::string problem =
      ExpectEcho(session.stub().UnaryCall(unary.get(), request, &response), kStatusMessage);
  if (!problem.empty()) return problem;
  const auto streaming = session.Context();
  const auto stream = session.stub().FullDuplexCall(streaming.get());
  wire::StreamingOutputCallRequest part;
  *part.mutable_response_status() = echo;
  stream->Write(part);
  stream->WritesDone();
  wire::StreamingOutputCallResponse answer;
  while (stream->Read(&answer)) continue;
  return ExpectEcho(stream->Finish(), kStatusMessage);
}

std::string SpecialStatusMessage(const Target& target) {
  Session session(target);
  wire::SimpleRequest request;
  request.mutable_response_status()->set_code(StatusCode::UNKNOWN);
  request.mutable_response_status()->set_message(kSpecialMessage);
  wire::SimpleResponse response;
  const auto context = session.Context();
  return ExpectEcho(session.stub().UnaryCall(context.get(), request, &response), kSpecialMessage);
}

std::string UnimplementedMethod(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  wire::Empty response;
  return ExpectStatus(session.stub().UnimplementedCall(context.get(), wire::Empty(), &response),
                      StatusCode::UNIMPLEMENTED);
}

std::string UnimplementedService(const Target& target) {
  Session session(target);
  const auto stub = wire::UnimplementedService::NewStub(session.channel());
  const auto context = session.Context();
  wire::Empty response;
  return ExpectStatus(stub->UnimplementedCall(context.get(), wire::Empty(), &response),
                      StatusCode::UNIMPLEMENTED);
}

std::string RpcSoak(const Target& target) {
  Session session(target);
  for (int i = 0; i < kSoakCalls; ++i) {
    if (const std::string problem = Unary(session); !problem.empty()) return problem;
  }
  return "";
}

std::string ChannelSoak(const Target& target) {
  for (int i = 0; i < kSoakCalls; ++i) {
    if (const std::string problem = LargeUnary(target); !problem.empty()) return problem;
  }
  return "";
}

// `run` on as many threads as calls, on one connection.
std::string Concurrently(const Target& target, std::string (*run)(Session&)) {
  Session session(target);
  std::vector<std::string> problems(kConcurrentCalls);
  std::vector<std::thread> threads;
  for (std::string& problem : problems) {
    threads.emplace_back([&session, &problem, run] { problem = run(session); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& problem : problems) {
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

Session::Session(const Target& target)
    : target_(target), channel_(target.connect()), stub_(wire::TestService::NewStub(channel_)) {}

std::unique_ptr<ClientContext> Session::Context() const {
  auto context = std::make_unique<ClientContext>();
  for (const auto& [name, value] : target_.metadata) context->AddMetadata(name, value);
  // style: allow clock, gRPC's deadlines are wall-clock times
  context->set_deadline(std::chrono::system_clock::now() + kCallTime);
  return context;
}

wire::SimpleRequest LargeRequest() {
  wire::SimpleRequest request;
  request.set_response_size(kResponseBytes);
  request.mutable_payload()->set_body(std::string(kRequestBytes, '\0'));
  return request;
}

std::string Expect(const std::string& what, const std::string& actual, const std::string& wanted) {
  return actual == wanted ? "" : what + ": `" + actual + "` instead of `" + wanted + "`";
}

std::string ExpectStatus(const Status& status, StatusCode code) {
  if (status.error_code() == code) return "";
  return "status " + std::to_string(status.error_code()) + " (" + status.error_message() +
         ") instead of " + std::to_string(code);
}

std::string ExpectBytes(size_t actual, size_t wanted) {
  return Expect("bytes", std::to_string(actual), std::to_string(wanted));
}

std::string First(std::initializer_list<std::string> problems) {
  for (const std::string& problem : problems) {
    if (!problem.empty()) return problem;
  }
  return "";
}

const std::vector<Case>& StandardCases() {
  static const std::vector<Case> cases = {
      {"empty_unary", EmptyUnary},
      {"large_unary", LargeUnary},
      {"client_streaming", ClientStreaming},
      {"server_streaming", ServerStreaming},
      {"ping_pong", PingPongCase},
      {"empty_stream", EmptyStream},
      {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
      {"cancel_after_begin", CancelAfterBegin},
      {"cancel_after_first_response", CancelAfterFirstResponse},
      {"status_code_and_message", StatusCodeAndMessage},
      {"special_status_message", SpecialStatusMessage},
      {"custom_metadata", CustomMetadata},
      {"unimplemented_method", UnimplementedMethod},
      {"unimplemented_service", UnimplementedService},
      {"rpc_soak", RpcSoak},
      {"channel_soak", ChannelSoak},
      {"concurrent_unary", [](const Target& target) { return Concurrently(target, Unary); }},
      {"concurrent_streams", [](const Target& target) { return Concurrently(target, PingPong); }},
  };
  return cases;
}

}  // namespace pinion::interop
