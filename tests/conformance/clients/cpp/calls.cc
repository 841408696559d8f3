#include "tests/conformance/clients/cpp/calls.h"

#include <grpcpp/grpcpp.h>
#include <pinion/client/chain.h>
#include <pinion/client/channel.h>
#include <pinion/client/credentials.h>
#include <pinion/client/refusal.h>

#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

#include "echo.grpc.pb.h"

namespace driver {
namespace {

using pinion::client::Notice;
using pinion::conformance::v1::Echo;
using pinion::conformance::v1::SayReply;
using pinion::conformance::v1::SayRequest;

constexpr char kEcho[] = "pinion.conformance.v1.Echo";
constexpr std::chrono::seconds kTimeout(10);

double Seconds(std::chrono::system_clock::time_point time) {
  return static_cast<double>(std::chrono::system_clock::to_time_t(time));
}

void SetNotice(const Notice& notice, Json& json) {
  Set(json, "service", notice.grpc_service);
  Set(json, "version", notice.version);
  Set(json, "link", notice.link);
  if (notice.deprecated) Set(json, "deprecated", Seconds(*notice.deprecated));
  if (notice.sunset) Set(json, "sunset", Seconds(*notice.sunset));
}

void SetReply(const SayReply& reply, Json& json) {
  Set(json, "served_by", reply.version());
  Json& received = Child(json, "received");
  for (const auto& [name, value] : reply.received()) Set(received, name, value);
  if (reply.has_through()) SetReply(reply.through(), Child(json, "through"));
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

grpc::Status Say(Echo::Stub& stub, const std::string& method, grpc::ClientContext& context,
                 const SayRequest& request, SayReply& reply) {
  if (method == "Later") return stub.Later(&context, request, &reply);
  if (method != "Repeat") return stub.Say(&context, request, &reply);
  const auto reader = stub.Repeat(&context, request);
  SayReply more;
  if (reader->Read(&reply)) {
    while (reader->Read(&more)) {
    }
  }
  return reader->Finish();
}

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Json& command) {
  const std::string ca = Text(command, "ca");
  if (ca.empty()) return grpc::InsecureChannelCredentials();
  auto tls = grpc::SslCredentials(
      {ReadFile(ca), ReadFile(Text(command, "key")), ReadFile(Text(command, "certificate"))});
  if (const std::string key = Text(command, "api_key"); !key.empty()) {
    return grpc::CompositeChannelCredentials(tls, pinion::client::ApiKey(key));
  }
  if (const std::string token = Text(command, "token"); !token.empty()) {
    return grpc::CompositeChannelCredentials(tls, pinion::client::Token([token] { return token; }));
  }
  if (const std::string path = Text(command, "token_file"); !path.empty()) {
    return grpc::CompositeChannelCredentials(tls, pinion::client::TokenFile(path));
  }
  return tls;
}

struct Calls::Connection {
  std::string header;
  std::unique_ptr<Echo::Stub> stub;
  std::mutex mutex;
  std::vector<Notice> notices;  // guarded by mutex
  int lines = 0;                // guarded by mutex
};

Calls::Calls() = default;
Calls::~Calls() = default;

void SetError(const grpc::Status& status, Json& error) {
  Set(error, "code", status.error_code());
  Set(error, "message", status.error_message());
  const auto refusal = pinion::client::ReadRefusal(status);
  if (!refusal) return;
  Json& json = Child(error, "refusal");
  Set(json, "reason", refusal->reason);
  Set(json, "service", refusal->service);
  Set(json, "version", refusal->version);
  Set(json, "consumer", refusal->consumer);
  Set(json, "asked", refusal->asked);
  Set(json, "source", refusal->source);
  Set(json, "successor", refusal->successor);
  Set(json, "help", refusal->help);
  auto& available = *(*json.mutable_fields())["available"].mutable_list_value();
  for (const std::string& name : refusal->available) {
    available.add_values()->set_string_value(name);
  }
}

void Calls::Dial(const Json& command, Json& /*answer*/) {
  auto made = std::make_unique<Connection>();
  Connection* connection = made.get();
  pinion::client::ChannelOptions options;
  options.pins = Texts(command, "pins");
  options.default_pin = Text(command, "default_pin");
  options.header = Text(command, "header", pinion::client::kDefaultHeader);
  options.pass_on = Flag(command, "pass_on");
  options.on_deprecation = [connection](const Notice& notice) {
    const std::lock_guard lock(connection->mutex);
    connection->notices.push_back(notice);
  };
  options.log = [connection](const std::string& /*line*/) {
    const std::lock_guard lock(connection->mutex);
    ++connection->lines;
  };
  connection->header = options.header;
  connection->stub = Echo::NewStub(pinion::client::CreateChannel(
      Text(command, "target"), CredentialsOf(command), std::move(options)));
  connections_[Text(command, "as")] = std::move(made);
}

void Calls::Call(const Json& command, Json& answer) {
  Connection& connection = *connections_.at(Text(command, "as"));
  grpc::ClientContext context;
  // style: allow clock, gRPC takes a deadline of this clock
  context.set_deadline(std::chrono::system_clock::now() + kTimeout);
  const std::string pin = Text(command, "pin");
  if (!pin.empty()) pinion::client::SetPin(pin, context, connection.header);
  for (const auto& [name, value] : Texts(command, "metadata")) {
    if (pin.empty() || name != connection.header) context.AddMetadata(name, value);
  }
  pinion::client::PassOn(Texts(command, "chain"), context);
  SayRequest request;
  if (const auto it = command.fields().find("through"); it != command.fields().end()) {
    for (const auto& next : it->second.list_value().values()) {
      request.add_through(next.string_value());
    }
  }
  SayReply reply;
  const grpc::Status status =
      Say(*connection.stub, Text(command, "method", "Say"), context, request, reply);
  auto response = pinion::client::ReadResponse(context, connection.header);
  Set(answer, "version", response.version);
  if (response.notice) {
    response.notice->grpc_service = kEcho;
    SetNotice(*response.notice, Child(answer, "notice"));
  }
  if (status.ok()) {
    SetReply(reply, answer);
  } else {
    SetError(status, Child(answer, "error"));
  }
}

void Calls::Told(const Json& command, Json& answer) {
  Connection& connection = *connections_.at(Text(command, "as"));
  const std::lock_guard lock(connection.mutex);
  auto& notices = *(*answer.mutable_fields())["notices"].mutable_list_value();
  for (const Notice& notice : connection.notices) {
    SetNotice(notice, *notices.add_values()->mutable_struct_value());
  }
  Set(answer, "lines", connection.lines);
}

}  // namespace driver
