// Cases of per-message compression: who compresses is seen on the wire, not only in the bytes.
#include "tests/conformance/peers/cases.h"
#include "tests/conformance/peers/message_flags.h"

namespace pinion::interop {
namespace {

using grpc::Status;
using grpc::StatusCode;
namespace wire = grpc::testing;

std::string ExpectCompressed(grpc::ClientContext& context, bool wanted) {
  const bool compressed = LastMessageWasCompressed(context.c_call());
  return Expect("compressed", compressed ? "yes" : "no", wanted ? "yes" : "no");
}

// A request that is sent compressed or not, and says which.
std::string ClientCompressedUnary(const Target& target) {
  Session session(target);
  for (bool compressed : {true, false}) {
    const auto context = session.Context();
    context->set_compression_algorithm(compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    wire::SimpleRequest request = LargeRequest();
    request.mutable_expect_compressed()->set_value(compressed);
    wire::SimpleResponse response;
    const std::string problem = First(
        {ExpectStatus(session.stub().UnaryCall(context.get(), request, &response), StatusCode::OK),
         ExpectBytes(response.payload().body().size(), kResponseBytes)});
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string ClientCompressedStreaming(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
  wire::StreamingInputCallResponse response;
  const auto writer = session.stub().StreamingInputCall(context.get(), &response);
  constexpr int kSizes[] = {27182, 45904};
  for (int size : kSizes) {
    const bool compressed = size == kSizes[0];
    wire::StreamingInputCallRequest request;
    request.mutable_expect_compressed()->set_value(compressed);
    request.mutable_payload()->set_body(std::string(size, '\0'));
    grpc::WriteOptions options;
    if (!compressed) options.set_no_compression();
    if (!writer->Write(request, options)) break;
  }
  writer->WritesDone();
  return First({ExpectStatus(writer->Finish(), StatusCode::OK),
                ExpectBytes(response.aggregated_payload_size(), kSizes[0] + kSizes[1])});
}

std::string ServerCompressedUnary(const Target& target) {
  Session session(target);
  for (bool compressed : {true, false}) {
    const auto context = session.Context();
    wire::SimpleRequest request = LargeRequest();
    request.mutable_response_compressed()->set_value(compressed);
    wire::SimpleResponse response;
    const Status status = session.stub().UnaryCall(context.get(), request, &response);
    const std::string problem =
        First({ExpectStatus(status, StatusCode::OK), ExpectCompressed(*context, compressed),
               ExpectBytes(response.payload().body().size(), kResponseBytes)});
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string ServerCompressedStreaming(const Target& target) {
  Session session(target);
  const auto context = session.Context();
  constexpr int kSizes[] = {31415, 92653};
  wire::StreamingOutputCallRequest request;
  for (int size : kSizes) {
    wire::ResponseParameters& wanted = *request.add_response_parameters();
    wanted.set_size(size);
    wanted.mutable_compressed()->set_value(size == kSizes[0]);
  }
  const auto reader = session.stub().StreamingOutputCall(context.get(), request);
  wire::StreamingOutputCallResponse response;
  for (int size : kSizes) {
    if (!reader->Read(&response)) break;
    const std::string problem = First({ExpectCompressed(*context, size == kSizes[0]),
                                       ExpectBytes(response.payload().body().size(), size)});
    if (!problem.empty()) return problem;
  }
  return ExpectStatus(reader->Finish(), StatusCode::OK);
}

}  // namespace

const std::vector<Case>& CompressionCases() {
  static const std::vector<Case> cases = {
      {"client_compressed_unary", ClientCompressedUnary},
      {"client_compressed_streaming", ClientCompressedStreaming},
      {"server_compressed_unary", ServerCompressedUnary},
      {"server_compressed_streaming", ServerCompressedStreaming},
  };
  return cases;
}

}  // namespace pinion::interop
