// The server of gRPC's interoperability tests on gRPC C++.
//
//     interop_server
//
// Listens on a free port of 127.0.0.1 until it is ended.
#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "grpcpp/grpcpp.h"
#include "interop.grpc.pb.h"
#include "tests/conformance/peers/message_flags.h"

namespace pinion::interop {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
namespace wire = grpc::testing;

constexpr char kInitialKey[] = "x-grpc-test-echo-initial";
constexpr char kTrailingKey[] = "x-grpc-test-echo-trailing-bin";

// Both kinds of custom metadata come back where the tests expect them.
void EchoMetadata(ServerContext& context) {
  const auto& received = context.client_metadata();
  for (auto [begin, end] = received.equal_range(kInitialKey); begin != end; ++begin) {
    context.AddInitialMetadata(kInitialKey,
                               std::string(begin->second.data(), begin->second.size()));
  }
  for (auto [begin, end] = received.equal_range(kTrailingKey); begin != end; ++begin) {
    context.AddTrailingMetadata(kTrailingKey,
                                std::string(begin->second.data(), begin->second.size()));
  }
}

// INVALID_ARGUMENT when the message was not sent as its sender says.
template <typename Request>
Status CheckCompression(ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed()) return Status::OK;
  const bool compressed = LastMessageWasCompressed(context.c_call());
  if (compressed == request.expect_compressed().value()) return Status::OK;
  return Status(StatusCode::INVALID_ARGUMENT,
                compressed ? "the message is compressed" : "the message is not compressed");
}

void Fill(wire::Payload& payload, int bytes) { payload.set_body(std::string(bytes, '\0')); }

Status StatusOf(const wire::EchoStatus& status) {
  return Status(static_cast<StatusCode>(status.code()), status.message());
}

class TestService final : public wire::TestService::Service {
 public:
  Status EmptyCall(ServerContext* context, const wire::Empty*, wire::Empty*) override {
    EchoMetadata(*context);
    return Status::OK;
  }

  Status UnaryCall(ServerContext* context, const wire::SimpleRequest* request,
                   wire::SimpleResponse* response) override {
    EchoMetadata(*context);
    if (Status status = CheckCompression(*context, *request); !status.ok()) return status;
    if (request->has_response_status() && request->response_status().code() != 0) {
      return StatusOf(request->response_status());
    }
    if (request->has_response_compressed()) {
      context->set_compression_algorithm(
          request->response_compressed().value() ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    }
    Fill(*response->mutable_payload(), request->response_size());
    return Status::OK;
  }

  Status CacheableUnaryCall(ServerContext* context, const wire::SimpleRequest* request,
                            wire::SimpleResponse* response) override {
    return UnaryCall(context, request, response);
  }

  Status StreamingOutputCall(
      ServerContext* context, const wire::StreamingOutputCallRequest* request,
      grpc::ServerWriter<wire::StreamingOutputCallResponse>* writer) override {
    EchoMetadata(*context);
    for (const wire::ResponseParameters& wanted : request->response_parameters()) {
      if (wanted.compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    return Answer(*context, *request, *writer);
  }

  Status StreamingInputCall(ServerContext* context,
                            grpc::ServerReader<wire::StreamingInputCallRequest>* reader,
                            wire::StreamingInputCallResponse* response) override {
    EchoMetadata(*context);
    wire::StreamingInputCallRequest request;
    size_t bytes = 0;
    while (reader->Read(&request)) {
      if (Status status = CheckCompression(*context, request); !status.ok()) return status;
      bytes += request.payload().body().size();
    }
    response->set_aggregated_payload_size(static_cast<int32_t>(bytes));
    return Status::OK;
  }

  Status FullDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<wire::StreamingOutputCallResponse, wire::StreamingOutputCallRequest>*
          stream) override {
    EchoMetadata(*context);
    wire::StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (Status status = Answer(*context, request, *stream); !status.ok()) return status;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<wire::StreamingOutputCallResponse, wire::StreamingOutputCallRequest>*
          stream) override {
    EchoMetadata(*context);
    std::vector<wire::StreamingOutputCallRequest> requests;
    wire::StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const wire::StreamingOutputCallRequest& one : requests) {
      if (Status status = Answer(*context, one, *stream); !status.ok()) return status;
    }
    return Status::OK;
  }

 private:
  // The messages that one request of a stream asks for, then the status that it asks for.
  template <typename Writer>
  static Status Answer(ServerContext& context, const wire::StreamingOutputCallRequest& request,
                       Writer& writer) {
    if (request.has_response_status() && request.response_status().code() != 0) {
      return StatusOf(request.response_status());
    }
    for (const wire::ResponseParameters& wanted : request.response_parameters()) {
      if (wanted.interval_us() > 0) {
        // style: allow sleep, the client asks for the pause
        std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
      }
      if (context.IsCancelled()) return Status::CANCELLED;
      wire::StreamingOutputCallResponse response;
      Fill(*response.mutable_payload(), wanted.size());
      grpc::WriteOptions options;
      if (!wanted.compressed().value()) options.set_no_compression();
      if (!writer.Write(response, options)) break;
    }
    return Status::OK;
  }
};

int Main() {
  // Blocked before gRPC starts its threads, so that sigwait() below is the one to get it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  TestService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::cerr << "interop_server: cannot listen\n";
    return 1;
  }
  std::cout << "listening on " << port << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  // style: allow clock, gRPC's deadlines are wall-clock times
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}

}  // namespace
}  // namespace pinion::interop

int main() { return pinion::interop::Main(); }
