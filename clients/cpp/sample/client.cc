// Greets through a gateway, asking for the version that it was written against.
// usage: greeter_client [--gateway HOST:PORT] [--pin EXPRESSION]
#include <grpcpp/grpcpp.h>
#include <pinion/client/channel.h>
#include <pinion/client/refusal.h>

#include <chrono>
#include <iostream>

#include "greeter.grpc.pb.h"
#include "sample/arguments.h"

int main(int argc, char** argv) {
  using pinion::sample::v1::Greeter;
  pinion::client::ChannelOptions options;
  options.pins[Greeter::service_full_name()] = Argument(argc, argv, "--pin", "^1");
  const auto channel =
      pinion::client::CreateChannel(Argument(argc, argv, "--gateway", "127.0.0.1:8080"),
                                    grpc::InsecureChannelCredentials(), std::move(options));
  pinion::sample::v1::GreetRequest request;
  request.set_name("ada");
  pinion::sample::v1::GreetReply reply;
  grpc::ClientContext context;
  // style: allow clock, gRPC takes a deadline of this clock
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const grpc::Status status = Greeter::NewStub(channel)->Greet(&context, request, &reply);
  if (const auto refusal = pinion::client::ReadRefusal(status)) {
    std::cerr << "refused, " << refusal->reason << ": " << status.error_message() << "\n";
    return 1;
  }
  if (!status.ok()) {
    std::cerr << status.error_message() << "\n";
    return 1;
  }
  std::cout << reply.text() << " (api-version: " << pinion::client::ReadResponse(context).version
            << ")\n";
  return 0;
}
