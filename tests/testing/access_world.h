// A registry that asks for credentials, as its clients see it: a real server with TLS on loopback,
// and a local socket by which tests prepare what they need. For tests.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "base/address.h"
#include "base/clock.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/access.grpc.pb.h"
#include "pinion/registry/v1/registry.grpc.pb.h"
#include "pinion/registry/v1/watch.grpc.pb.h"
#include "registry/service/registry_server.h"
#include "registry/store/memory_store.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"
#include "tests/testing/tokens.h"

namespace pinion::service {

namespace v1 = registry::v1;
inline constexpr char kIssuer[] = "https://issuer";

// "OK", or the code and the reason of the refusal: "PERMISSION_DENIED ACCESS_DENIED".
inline std::string OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return "OK";
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) detail.UnpackTo(&info);
  return absl::StrCat(absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code())),
                      " ", info.reason());
}

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

class AccessWorld : public ::testing::Test {
 protected:
  AccessWorld() {
    // Certificates are of today.
    clock_.JumpWall(SystemClock().Wall() - clock_.Wall());
    server_files_ = ca_.Issue(dir_.path(), "server", {.ips = {"127.0.0.1"}});
    ca_file_ = ca_.Write(dir_.path(), "ca");
    options_ = {
        .address = "127.0.0.1:0",
        .tls = ServerTls{.certificate_chain = server_files_.certificate_chain,
                         .private_key = server_files_.private_key,
                         .trusted_ca = ca_file_,
                         .refresh = absl::Seconds(1)},
        .access = AccessOptions{.operators = {"spiffe://acme/ops"},
                                .issuers = {{.name = kIssuer,
                                             .audiences = {"pinion"},
                                             .file = dir_.Write("keys.json", issuer_.Jwks()),
                                             .refresh = absl::Minutes(5),
                                             .groups_claim = "groups"}}},
        .local_socket = dir_.path() + "/local.sock",
        .binary_version = "test",
        .watch = {.heartbeat = absl::Milliseconds(20)},
        .housekeeping = {.period = absl::Milliseconds(20)}};
  }

  void Start() {
    auto server = RegistryServer::Start(store_, clock_, options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    local_ = grpc::CreateChannel(server_->local_address(), grpc::InsecureChannelCredentials());
  }

  // Over TLS, with a client certificate or without one.
  std::shared_ptr<grpc::Channel> ConnectAs(const testing::CertificateSpec& spec) const {
    return Connect(ca_.Issue(dir_.path(), "client", spec));
  }
  std::shared_ptr<grpc::Channel> Connect(const net::TlsCertificateFiles& own = {}) const {
    grpc::SslCredentialsOptions ssl{.pem_root_certs = testing::ReadFile(ca_file_)};
    if (!own.private_key.empty()) {
      ssl.pem_private_key = testing::ReadFile(own.private_key);
      ssl.pem_cert_chain = testing::ReadFile(own.certificate_chain);
    }
    grpc::ChannelArguments arguments;
    // Channels to one address share connections otherwise, whatever their certificates.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(ssl), arguments);
  }

  // Any method, by its full name: "pinion.registry.v1.Registry.SetPin".
  static grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                           const google::protobuf::Message& request,
                           google::protobuf::Message* response = nullptr,
                           const std::string& token = "") {
    grpc::TemplatedGenericStub<google::protobuf::Message, grpc::ByteBuffer> stub(channel);
    grpc::ClientContext context;
    context.AddMetadata("pinion-actor", "somebody else");
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    const size_t dot = method.rfind('.');
    grpc::ByteBuffer bytes;
    grpc::Status status;
    absl::Notification done;
    stub.UnaryCall(&context, absl::StrCat("/", method.substr(0, dot), "/", method.substr(dot + 1)),
                   {}, &request, &bytes, [&status, &done](grpc::Status result) {
                     status = std::move(result);
                     done.Notify();
                   });
    done.WaitForNotification();
    if (!status.ok() || response == nullptr) return status;
    grpc::ProtoBufferReader reader(&bytes);
    EXPECT_TRUE(response->ParseFromZeroCopyStream(&reader));
    return status;
  }
  static std::string Registry(const char* method) {
    return absl::StrCat("pinion.registry.v1.Registry.", method);
  }
  static std::string Access(const char* method) {
    return absl::StrCat("pinion.registry.v1.Access.", method);
  }

  // By whoever may do everything.
  void Prepare(const std::string& method, const google::protobuf::Message& request,
               google::protobuf::Message* response = nullptr) {
    const grpc::Status done = Call(local_, method, request, response);
    ASSERT_TRUE(done.ok()) << method << ": " << done.error_message();
  }
  void Grant(const std::string& grant) {
    Prepare(Access("AddGrant"), FromText<v1::AddGrantRequest>("grant { " + grant + " }"));
  }
  void Revoke(const std::string& request) {
    Prepare(Access("RemoveGrant"), FromText<v1::RemoveGrantRequest>(request));
  }
  // The secret.
  std::string NewToken(const std::string& name, absl::Duration ttl = absl::Hours(24)) {
    v1::CreateTokenRequest request;
    request.set_name(name);
    request.mutable_ttl()->set_seconds(absl::ToInt64Seconds(ttl));
    v1::CreateTokenResponse response;
    Prepare(Access("CreateToken"), request, &response);
    return response.secret();
  }
  // A JWT of `subject`, good for an hour; `more` claims begin with a comma.
  std::string Jwt(const std::string& subject, const std::string& more = "") const {
    return issuer_.Token(
        absl::StrCat("{\"iss\":\"", kIssuer, "\",\"aud\":\"pinion\",\"sub\":\"", subject,
                     "\",\"exp\":", absl::ToUnixSeconds(clock_.Wall()) + 3600, more, "}"));
  }
  void CreateService(const std::string& name, const std::string& owner) {
    v1::CreateServiceRequest request;
    request.mutable_service()->set_name(name);
    request.mutable_service()->set_scheme(routing::v1::SEMVER);
    request.set_owner(owner);
    Prepare(Registry("CreateService"), request);
  }
  void CreateConsumer(const std::string& consumer, const std::string& owner) {
    v1::CreateConsumerRequest request;
    *request.mutable_consumer() = FromText<routing::v1::Consumer>(consumer);
    request.set_owner(owner);
    Prepare(Registry("CreateConsumer"), request);
  }
  v1::Service ServiceNow(const std::string& name) {
    v1::Service now;
    Prepare(Registry("GetService"), FromText<v1::GetServiceRequest>("name: '" + name + "'"), &now);
    return now;
  }
  v1::AuditRecord NewestAudit() {
    v1::ListAuditRecordsResponse response;
    Prepare(Registry("ListAuditRecords"), v1::ListAuditRecordsRequest(), &response);
    return response.records(0);
  }

  testing::TempDirectory dir_;
  testing::CertificateAuthority ca_;
  const testing::TokenIssuer issuer_{testing::TokenIssuer::Kind::kEs256, "one"};
  testing::FakeClock clock_;
  store::MemoryStore store_{clock_};
  net::TlsCertificateFiles server_files_;
  std::string ca_file_;
  RegistryServerOptions options_;
  std::unique_ptr<RegistryServer> server_;
  std::shared_ptr<grpc::Channel> local_;
};

}  // namespace pinion::service
