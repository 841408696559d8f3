#include "tests/integration/tls/fixture.h"

#include <google/protobuf/text_format.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/generic/async_generic_service.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/check.h"
#include "base/clock.h"
#include "gateway/route/table_builder.h"
#include "gateway/worker/settings.h"

namespace pinion::testing {
namespace {

constexpr char kMethod[] = "/pinion.test.Echo/Call";

grpc::ByteBuffer Buffer(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Text(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

class EchoReactor final : public grpc::ServerGenericBidiReactor {
 public:
  EchoReactor() { StartRead(&message_); }

 private:
  void OnReadDone(bool ok) override { ok ? StartWrite(&message_) : Finish(grpc::Status::OK); }
  void OnWriteDone(bool ok) override {
    ok ? StartRead(&message_) : Finish({grpc::StatusCode::UNKNOWN, "gone"});
  }
  // style: allow raw-new, gRPC's reactors own themselves until this
  void OnDone() override { delete this; }

  grpc::ByteBuffer message_;
};

}  // namespace

class EchoServer::Service final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    // style: allow raw-new, deletes itself in OnDone
    return new EchoReactor();
  }
};

EchoServer::EchoServer(std::shared_ptr<grpc::ServerCredentials> credentials)
    : service_(std::make_unique<Service>()) {
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(service_.get());
  builder.AddListeningPort("127.0.0.1:0",
                           credentials != nullptr ? credentials : grpc::InsecureServerCredentials(),
                           &port_);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr);
}

EchoServer::~EchoServer() { server_->Shutdown(std::chrono::system_clock::time_point::min()); }

EchoStream::EchoStream(const std::shared_ptr<grpc::Channel>& channel)
    : stream_(grpc::GenericStub(channel).PrepareCall(&context_, kMethod, &queue_)) {
  stream_->StartCall(this);
  Wait();
}

EchoStream::~EchoStream() {
  context_.TryCancel();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool EchoStream::Wait() {
  void* tag;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

std::string EchoStream::Echo(const std::string& message) {
  stream_->Write(Buffer(message), this);
  if (!Wait()) return "";
  grpc::ByteBuffer answer;
  stream_->Read(&answer, this);
  return Wait() ? Text(answer) : "";
}

grpc::Status EchoStream::Finish() {
  grpc::Status status;
  stream_->WritesDone(this);
  Wait();
  stream_->Finish(&status, this);
  Wait();
  return status;
}

void TlsGatewayTest::StartGateway(const std::string& bootstrap, const std::string& tls_name,
                                  const std::vector<std::string>& more_resources) {
  if (upstream_ == nullptr) upstream_ = std::make_unique<EchoServer>(nullptr);
  config::v1::Bootstrap config;
  const std::string text = absl::StrReplaceAll(bootstrap, {{"$DIR", dir_.path()}});
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  auto settings = worker::ReadSettings(config);
  ASSERT_TRUE(settings.ok()) << settings.status();
  auto gateway = worker::Gateway::Start(*std::move(settings), SystemClock());
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  gateway_ = *std::move(gateway);
  Publish(tls_name, more_resources);
}

void TlsGatewayTest::Publish(const std::string& tls_name,
                             const std::vector<std::string>& more_resources) {
  std::vector<std::string> resources = {
      "service { name: 'echo' scheme: SEMVER grpc_services: 'pinion.test.Echo' }",
      "version { service: 'echo' name: '1.0.0' state: ACTIVE }",
      "version { service: 'echo' name: '2.0.0' state: ACTIVE }",
      "channel { service: 'echo' name: 'stable' version: '1.0.0' }",
  };
  for (const char* version : {"1.0.0", "2.0.0"}) {
    resources.push_back(absl::StrCat(
        "instance { service: 'echo' version: '", version, "' uid: 'uid", version, "' tls_name: '",
        tls_name, "' address { socket_address { address: '127.0.0.1' port_value: ",
        upstream_->port(), " } } }"));
  }
  resources.insert(resources.end(), more_resources.begin(), more_resources.end());
  route::TableBuilder builder;
  for (const std::string& each : resources) {
    routing::v1::Resource resource;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(each, &resource)) << each;
    const absl::Status put = builder.Put(resource);
    ASSERT_TRUE(put.ok()) << put;
  }
  gateway_->Publish(builder.Build());
}

std::shared_ptr<grpc::Channel> TlsGatewayTest::Channel(
    const std::string& ca_file, const net::TlsCertificateFiles* certificate) {
  grpc::SslCredentialsOptions options{.pem_root_certs = ReadFile(ca_file)};
  if (certificate != nullptr) {
    options.pem_private_key = ReadFile(certificate->private_key);
    options.pem_cert_chain = ReadFile(certificate->certificate_chain);
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // each channel its own connection
  return grpc::CreateCustomChannel(
      absl::StrCat("localhost:", gateway_->listeners()[0].endpoint.port),
      grpc::SslCredentials(options), arguments);
}

Answer TlsGatewayTest::Call(const std::shared_ptr<grpc::Channel>& channel,
                            const Metadata& metadata) {
  grpc::ClientContext context;
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  grpc::GenericStub stub(channel);
  const grpc::ByteBuffer request = Buffer("ping");
  grpc::ByteBuffer response;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  Answer answer;
  stub.UnaryCall(&context, kMethod, {}, &request, &response, [&](grpc::Status status) {
    const std::lock_guard<std::mutex> lock(mutex);
    answer.status = std::move(status);
    done = true;
    changed.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return done; });
  if (answer.status.ok()) answer.message = Text(response);
  if (answer.status.ok()) {
    const auto names = context.auth_context()->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
    if (!names.empty()) answer.server_name = std::string(names[0].data(), names[0].size());
  }
  const auto& initial = context.GetServerInitialMetadata();
  const auto version = initial.find("api-version");
  if (version != initial.end()) {
    answer.api_version = std::string(version->second.data(), version->second.size());
  }
  return answer;
}

}  // namespace pinion::testing
