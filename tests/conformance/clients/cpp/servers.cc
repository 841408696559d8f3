#include "tests/conformance/clients/cpp/servers.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <pinion/client/chain.h>
#include <pinion/client/channel.h>
#include <pinion/client/registration.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "echo.grpc.pb.h"
#include "tests/conformance/clients/cpp/calls.h"

namespace driver {
namespace {

using pinion::conformance::v1::Echo;
using pinion::conformance::v1::SayReply;
using pinion::conformance::v1::SayRequest;

constexpr std::chrono::seconds kTimeout(10);

class EchoService : public Echo::Service {
 public:
  explicit EchoService(std::string version) : version_(std::move(version)) {}

  grpc::Status Say(grpc::ServerContext* context, const SayRequest* request,
                   SayReply* reply) override {
    return Answer(*context, *request, *reply);
  }

  grpc::Status Later(grpc::ServerContext* context, const SayRequest* request,
                     SayReply* reply) override {
    return Answer(*context, *request, *reply);
  }

  grpc::Status Repeat(grpc::ServerContext* context, const SayRequest* request,
                      grpc::ServerWriter<SayReply>* writer) override {
    SayReply reply;
    const grpc::Status status = Answer(*context, *request, reply);
    if (status.ok()) writer->Write(reply);
    if (status.ok()) writer->Write(reply);
    return status;
  }

 private:
  grpc::Status Answer(grpc::ServerContext& context, const SayRequest& request,
                      SayReply& reply) const {
    pinion::client::ChainPins pins;
    const grpc::Status read = pinion::client::ReadChainPins(context, pins);
    if (!read.ok()) return read;
    reply.set_version(version_);
    for (const auto& [name, value] : context.client_metadata()) {
      (*reply.mutable_received())[std::string(name.data(), name.size())] =
          std::string(value.data(), value.size());
    }
    if (request.through_size() == 0) return grpc::Status::OK;
    pinion::client::ChannelOptions options;
    options.pass_on = true;
    const auto next = Echo::NewStub(pinion::client::CreateChannel(
        request.through(0), grpc::InsecureChannelCredentials(), std::move(options)));
    grpc::ClientContext passed_on;
    pinion::client::PassOn(pins, passed_on);
    SayRequest rest;
    for (int i = 1; i < request.through_size(); ++i) rest.add_through(request.through(i));
    const grpc::Status status = next->Say(&passed_on, rest, reply.mutable_through());
    return {status.error_code(), status.error_message()};
  }

  const std::string version_;
};

}  // namespace

// A server with its registration, and what has become of it: uids, and how it ended.
class Servers::Running {
 public:
  explicit Running(const Json& command) : service_(Text(command, "version")) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
    pinion::client::ServerDescription description;
    description.service = "echo";
    description.version = Text(command, "version");
    description.address = address_;
    description.grpc_services = {Echo::service_full_name()};
    description.publish = Flag(command, "publish");
    description.lease =
        std::chrono::milliseconds(static_cast<int>(Number(command, "lease_seconds", 15) * 1000));
    description.actor = "driver";
    description.on_registered = [this](const std::string& uid) {
      Json event;
      Set(event, "uid", uid);
      Set(event, "address", address_);
      Tell(event);
    };
    grpc::ChannelArguments alive;
    alive.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
    alive.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3'000);
    alive.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    alive.SetInt("grpc.http2.ping_timeout_ms", 3'000);
    const auto registry =
        grpc::CreateCustomChannel(Text(command, "registry"), CredentialsOf(command), alive);
    registration_ =
        std::make_unique<pinion::client::Registration>(*server_, registry, std::move(description));
    waiting_ = std::thread([this] {
      const grpc::Status refused = registration_->Wait();
      Json event;
      if (!refused.ok()) SetError(refused, Child(event, "error"));
      Tell(event);
    });
  }

  ~Running() {
    registration_->Shutdown();
    waiting_.join();
  }

  void End() { registration_->Shutdown(); }

  Json Next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kTimeout, [this] { return !events_.empty(); })) {
      Json failure;
      Set(failure, "failure", "not registered in time");
      return failure;
    }
    Json event = events_.front();
    events_.pop_front();
    return event;
  }

  bool Serving() const {
    const auto channel = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
    grpc::GenericStub stub(channel);
    // grpc.health.v1.HealthCheckRequest{service = 1}, …Response{status = 1}, SERVING = 1.
    const std::string name = Echo::service_full_name();
    const std::string request = std::string("\x0a") + static_cast<char>(name.size()) + name;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", sent, &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    queue.Shutdown();
    grpc::Slice whole;
    return status.ok() && answer.DumpToSingleSlice(&whole).ok() && whole.size() == 2 &&
           whole.begin()[1] == 1;
  }

 private:
  void Tell(const Json& event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
    }
    changed_.notify_all();
  }

  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Json> events_;  // guarded by mutex_
  std::unique_ptr<pinion::client::Registration> registration_;
  std::thread waiting_;
};

Servers::Servers() { pinion::client::EnableHealthAndReflection(); }
Servers::~Servers() = default;

void Servers::Serve(const Json& command, Json& answer) {
  auto& server = servers_[Text(command, "as")];
  server.reset();
  server = std::make_unique<Running>(command);
  answer = server->Next();
}

void Servers::Again(const Json& command, Json& answer) {
  answer = servers_.at(Text(command, "as"))->Next();
}

void Servers::Health(const Json& command, Json& answer) {
  const bool serving = servers_.at(Text(command, "as"))->Serving();
  Set(answer, "status", serving ? "SERVING" : "NOT_SERVING");
}

void Servers::End(const Json& command, Json& answer) {
  Running& server = *servers_.at(Text(command, "as"));
  server.End();
  answer = server.Next();
}

}  // namespace driver
