#include "tests/testing/probed_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "google/protobuf/descriptor_database.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace pinion::testing {
namespace {

using google::protobuf::FileDescriptorProto;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using Spite = ProbedBehaviour::Spite;

template <typename Message>
Message Read(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  CHECK(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  Message message;
  CHECK(message.ParseFromString(bytes));
  return message;
}

grpc::ByteBuffer Written(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

void AddSpite(Spite spite, int question, ServerReflectionResponse& response) {
  FileDescriptorProto file;
  file.set_name(absl::StrCat(question, ".proto"));
  if (spite == Spite::kHuge) file.set_package(std::string(1 << 20, 'x'));
  file.add_dependency(absl::StrCat(question + 1, ".proto"));
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(
      spite == Spite::kGarbage ? "\xff\xff garbage" : file.SerializeAsString());
}

ServerReflectionResponse Reflect(const ProbedBehaviour& behaviour, int question,
                                 const ServerReflectionRequest& request) {
  ServerReflectionResponse response;
  if (behaviour.spite != Spite::kNone) {
    AddSpite(behaviour.spite, question, response);
    return response;
  }
  google::protobuf::SimpleDescriptorDatabase database;
  for (const FileDescriptorProto& file : behaviour.schema->file()) database.Add(file);
  FileDescriptorProto found;
  const bool known =
      request.has_file_by_filename()
          ? database.FindFileByName(request.file_by_filename(), &found)
          : database.FindFileContainingSymbol(request.file_containing_symbol(), &found);
  if (!known) {
    response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
    return response;
  }
  auto& files = *response.mutable_file_descriptor_response();
  files.add_file_descriptor_proto(found.SerializeAsString());
  if (behaviour.one_file_at_a_time) return response;
  for (const FileDescriptorProto& file : behaviour.schema->file()) {
    if (file.name() != found.name()) files.add_file_descriptor_proto(file.SerializeAsString());
  }
  return response;
}

}  // namespace

class ProbedServer::Impl final : public grpc::CallbackGenericService {
 public:
  // `port` 0: a free one.
  Impl(ProbedBehaviour behaviour, std::shared_ptr<grpc::ServerCredentials> credentials, int port)
      : credentials_(credentials != nullptr ? std::move(credentials)
                                            : grpc::InsecureServerCredentials()),
        behaviour_(std::move(behaviour)) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), credentials_, &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    CHECK(server_ != nullptr && port_ != 0);
  }
  ~Impl() override { server_->Shutdown(absl::ToChronoTime(SystemClock().Wall())); }

  ProbedBehaviour behaviour() const {
    MutexLock lock(&mutex_);
    return behaviour_;
  }
  void Behave(ProbedBehaviour behaviour) {
    MutexLock lock(&mutex_);
    behaviour_ = std::move(behaviour);
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(*this, context->method());  // style: allow raw-new, gRPC says when it is over
  }

  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  int port_ = 0;
  std::atomic<int> health_checks_ = 0;
  std::atomic<int> schema_questions_ = 0;
  std::atomic<int> other_calls_ = 0;

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call(Impl& server, std::string method) : server_(server), method_(std::move(method)) {
      StartRead(&in_);
    }

    void OnReadDone(bool ok) override {
      if (!ok) return End(grpc::Status::OK);
      const ProbedBehaviour behaviour = server_.behaviour();
      if (absl::StartsWith(method_, "/grpc.health.v1.")) return CheckHealth(behaviour);
      if (absl::StartsWith(method_, "/grpc.reflection.")) return ShowSchema(behaviour);
      ++server_.other_calls_;
      const grpc::Slice nothing;
      EndWith(grpc::ByteBuffer(&nothing, 1));
    }
    void OnWriteDone(bool ok) override {
      if (ok) StartRead(&in_);
    }
    void OnDone() override { delete this; }  // style: allow raw-new, made by CreateReactor

   private:
    // Whichever comes first: an answer, or the caller's end.
    void End(const grpc::Status& status) {
      if (!ended_.exchange(true)) Finish(status);
    }
    void EndWith(grpc::ByteBuffer answer) {
      if (ended_.exchange(true)) return;
      out_ = std::move(answer);
      StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void Refuse(grpc::StatusCode code) { End(grpc::Status(code, "not here")); }

    void CheckHealth(const ProbedBehaviour& behaviour) {
      ++server_.health_checks_;
      if (!behaviour.has_health) return Refuse(grpc::StatusCode::UNIMPLEMENTED);
      const auto it = behaviour.health.find(Read<HealthCheckRequest>(in_).service());
      if (it == behaviour.health.end()) return Refuse(grpc::StatusCode::NOT_FOUND);
      HealthCheckResponse response;
      response.set_status(it->second);
      EndWith(Written(response));
    }

    void ShowSchema(const ProbedBehaviour& behaviour) {
      const bool offered = behaviour.schema.has_value() || behaviour.spite != Spite::kNone;
      const bool v1 = absl::StartsWith(method_, "/grpc.reflection.v1.");
      if (!offered || (v1 && behaviour.only_v1alpha)) {
        return Refuse(grpc::StatusCode::UNIMPLEMENTED);
      }
      const int question = ++server_.schema_questions_;
      if (behaviour.spite == Spite::kSilent) return;
      out_ = Written(Reflect(behaviour, question, Read<ServerReflectionRequest>(in_)));
      StartWrite(&out_);
    }

    // One that is silent is ended by its caller.
    void OnCancel() override { End(grpc::Status::CANCELLED); }

    Impl& server_;
    const std::string method_;
    grpc::ByteBuffer in_;
    grpc::ByteBuffer out_;
    std::atomic<bool> ended_ = false;
  };

  mutable Mutex mutex_;
  ProbedBehaviour behaviour_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

ProbedServer::ProbedServer(ProbedBehaviour behaviour,
                           std::shared_ptr<grpc::ServerCredentials> credentials)
    : impl_(std::make_unique<Impl>(std::move(behaviour), std::move(credentials), 0)) {}
ProbedServer::~ProbedServer() = default;

void ProbedServer::Behave(ProbedBehaviour behaviour) { impl_->Behave(std::move(behaviour)); }
int ProbedServer::port() const { return impl_->port_; }
int ProbedServer::health_checks() const { return impl_->health_checks_; }
int ProbedServer::schema_questions() const { return impl_->schema_questions_; }
int ProbedServer::other_calls() const { return impl_->other_calls_; }

routing::v1::Address ProbedServer::address() const {
  routing::v1::Address address;
  address.mutable_socket_address()->set_address("127.0.0.1");
  address.mutable_socket_address()->set_port_value(static_cast<uint32_t>(port()));
  return address;
}

void ProbedServer::Restart(ProbedBehaviour behaviour) {
  const int port = impl_->port_;
  const std::shared_ptr<grpc::ServerCredentials> credentials = impl_->credentials_;
  impl_.reset();
  impl_ = std::make_unique<Impl>(std::move(behaviour), credentials, port);
}

}  // namespace pinion::testing
