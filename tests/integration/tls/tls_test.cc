// TLS between the gateway and gRPC C++, curl and openssl's own client.
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "tests/integration/tls/fixture.h"
#include "tests/testing/tokens.h"

namespace pinion::testing {
namespace {

constexpr char kListener[] =
    "address { socket_address { address: '127.0.0.1' } } "
    "tls { tls_certificates { certificate_chain: '$DIR/server.crt' private_key: '$DIR/server.key' "
    "}";

std::string Bootstrap(const std::string& more_tls = "", const std::string& gateway = "") {
  return absl::StrCat("listeners { name: 'l' ", kListener, more_tls, " } } gateway { workers: 2 ",
                      gateway, "}");
}

// What a command prints, on either output.
std::string Output(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
  std::string output;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
  pclose(pipe);
  return output;
}

TEST_F(TlsGatewayTest, GrpcClientsCallThroughTls) {
  StartGateway(Bootstrap());
  const auto channel = Channel(ca_file_);
  for (int i = 0; i < 20; ++i) {
    const Answer answer = Call(channel);
    ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.message, "ping");
    EXPECT_EQ(answer.api_version, "1.0.0");
  }
  EchoStream stream(channel);
  const std::string large(300000, 'x');
  EXPECT_EQ(stream.Echo("small"), "small");
  EXPECT_TRUE(stream.Echo(large) == large);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(TlsGatewayTest, AClientThatDoesNotTrustTheCaFails) {
  StartGateway(Bootstrap());
  const CertificateAuthority stranger("Another CA");
  const auto channel = Channel(stranger.Write(dir_.path(), "stranger"));
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsGatewayTest, MutualTls) {
  const auto client = ca_.Issue(dir_.path(), "client", {.dns = {"client.test"}});
  StartGateway(Bootstrap("trusted_ca: '$DIR/ca.crt' require_client_certificate: true"));
  EXPECT_TRUE(Call(Channel(ca_file_, &client)).status.ok());
  EXPECT_EQ(Call(Channel(ca_file_)).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  const CertificateAuthority stranger("Another CA");
  const auto strange = stranger.Issue(dir_.path(), "strange", {.dns = {"client.test"}});
  EXPECT_EQ(Call(Channel(ca_file_, &strange)).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsGatewayTest, InstancesAreReachedOverMutualTls) {
  ca_.Issue(dir_.path(), "gateway", {.dns = {"gateway.test"}});
  const auto echo = ca_.Issue(dir_.path(), "echo", {.dns = {"echo.test"}});
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = ReadFile(ca_file_);
  options.pem_key_cert_pairs.push_back(
      {ReadFile(echo.private_key), ReadFile(echo.certificate_chain)});
  upstream_ = std::make_unique<EchoServer>(grpc::SslServerCredentials(options));
  const std::string trust = "upstream_tls { services: 'echo' trusted_ca: '$DIR/ca.crt' ";
  const std::string certificate =
      "tls_certificate { certificate_chain: '$DIR/gateway.crt' private_key: '$DIR/gateway.key' } ";

  StartGateway(Bootstrap("", trust + certificate + "}"), "echo.test");
  const Answer answer = Call(Channel(ca_file_));
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();

  // An instance that is not who it should be; one that wants a certificate and gets none; one that
  // the system's CAs know nothing of; one that speaks no TLS.
  const auto expect = [this](const std::string& what, const std::string& why) {
    const grpc::Status status = Call(Channel(ca_file_)).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << what;
    EXPECT_TRUE(absl::StrContains(status.error_message(), why)) << status.error_message();
  };
  StartGateway(Bootstrap("", trust + certificate + "}"), "other.test");
  expect("another name", "hostname mismatch");
  StartGateway(Bootstrap("", trust + "}"), "echo.test");
  expect("no client certificate", "TLS");
  StartGateway(Bootstrap(), "echo.test");
  expect("an unknown CA", "certificate is not good");
  upstream_ = std::make_unique<EchoServer>(nullptr);
  StartGateway(Bootstrap("", trust + certificate + "}"), "echo.test");
  expect("no TLS", "TLS");
}

TEST_F(TlsGatewayTest, ANewCertificateIsUsedWithoutDroppingAStream) {
  StartGateway(Bootstrap());
  const auto channel = Channel(ca_file_);
  EchoStream stream(channel);
  EXPECT_EQ(stream.Echo("before"), "before");
  EXPECT_EQ(Call(Channel(ca_file_)).server_name, "test");
  ca_.Issue(dir_.path(), "server", {.common_name = "renewed", .dns = {"localhost"}});
  gateway_->ReloadTls();
  // The workers hear of it one after the other.
  std::string name;
  for (int i = 0; i < 1000 && name != "renewed"; ++i) name = Call(Channel(ca_file_)).server_name;
  EXPECT_EQ(name, "renewed");
  EXPECT_EQ(stream.Echo("after"), "after");
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(Call(channel).server_name, "test") << "a connection stays what it was";
  EXPECT_EQ(gateway_->tls_status().reloads, 1u);
}

TEST_F(TlsGatewayTest, ABadFileLeavesTheOldCertificateInForce) {
  StartGateway(Bootstrap());
  dir_.Write("server.key", "not a key");
  gateway_->ReloadTls();
  for (int i = 0; i < 1000 && gateway_->tls_status().failures == 0; ++i) {
    ASSERT_TRUE(Call(Channel(ca_file_)).status.ok());
  }
  EXPECT_TRUE(absl::StrContains(gateway_->tls_status().problem, "server.key holds no PEM"));
  EXPECT_EQ(Call(Channel(ca_file_)).server_name, "test");
}

TEST_F(TlsGatewayTest, OtherCasCountForCallsToInstancesFromThenOn) {
  const auto echo = ca_.Issue(dir_.path(), "echo", {.dns = {"echo.test"}});
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back(
      {ReadFile(echo.private_key), ReadFile(echo.certificate_chain)});
  upstream_ = std::make_unique<EchoServer>(grpc::SslServerCredentials(options));
  ca_.Write(dir_.path(), "instances");
  StartGateway(Bootstrap("", "upstream_tls { trusted_ca: '$DIR/instances.crt' } "), "echo.test");
  const auto channel = Channel(ca_file_);
  EchoStream stream(channel);
  EXPECT_EQ(stream.Echo("before"), "before");
  EXPECT_TRUE(Call(channel).status.ok());
  CertificateAuthority("Another CA").Write(dir_.path(), "instances");
  gateway_->ReloadTls();
  grpc::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = Call(channel).status;
  EXPECT_TRUE(absl::StrContains(status.error_message(), "certificate is not good"))
      << status.error_message();
  EXPECT_EQ(stream.Echo("after"), "after");
}

TEST_F(TlsGatewayTest, ConsumersAreFoundByCertificateTokenAndKey) {
  const TokenIssuer first(TokenIssuer::Kind::kRs256, "first");
  dir_.Write("keys.json", first.Jwks());
  const std::string identity =
      "trusted_ca: '$DIR/ca.crt' } consumer_identity { jwt {} api_key { header: 'x-api-key' } ";
  StartGateway(
      Bootstrap(identity, "jwt_issuers { issuer: 'corp' jwks_file: '$DIR/keys.json' } "), "",
      {absl::StrCat("consumer { name: 'billing' identities { spiffe_uri: 'spiffe://corp/billing' } "
                    "identities { jwt { issuer: 'corp' subject: 'billing' } } identities { "
                    "api_key_sha256: '",
                    Sha256Hex("key"), "' } }"),
       "pin { consumer: 'billing' service: 'echo' expression: '^2' }"});
  const auto client = ca_.Issue(dir_.path(), "client", {.uris = {"spiffe://corp/billing"}});
  EXPECT_EQ(Call(Channel(ca_file_, &client)).api_version, "2.0.0");
  const auto channel = Channel(ca_file_);
  EXPECT_EQ(Call(channel).api_version, "1.0.0");
  EXPECT_EQ(Call(channel, {{"x-api-key", "key"}}).api_version, "2.0.0");
  const std::string claims = "{\"iss\":\"corp\",\"sub\":\"billing\",\"exp\":4000000000}";
  const Metadata old = {{"authorization", "Bearer " + first.Token(claims)}};
  EXPECT_EQ(Call(channel, old).api_version, "2.0.0");

  // Another key takes its place.
  const TokenIssuer second(TokenIssuer::Kind::kEs256, "second");
  const Metadata now = {{"authorization", "Bearer " + second.Token(claims)}};
  EXPECT_EQ(Call(channel, now).status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  dir_.Write("keys.json", second.Jwks());
  gateway_->ReloadKeys();
  std::string version;
  for (int i = 0; i < 10000 && version.empty(); ++i) version = Call(channel, now).api_version;
  EXPECT_EQ(version, "2.0.0");
  EXPECT_EQ(Call(channel, old).status.error_message(),
            "the token is signed with a key that its issuer does not show");
}

TEST_F(TlsGatewayTest, CurlAndOpensslAgree) {
  StartGateway(Bootstrap());
  const int port = gateway_->listeners()[0].endpoint.port;
  const std::string curl = absl::StrCat(
      "curl -sS -v --max-time 20 --cacert ", ca_file_, " -X POST --data-binary x ",
      "-H 'content-type: application/grpc' https://localhost:", port, "/pinion.test.Echo/Call ");
  const std::string http2 = Output(curl + "--http2");
  EXPECT_TRUE(absl::StrContains(http2, "HTTP/2 200")) << http2;
  const std::string http1 = Output(curl + "--http1.1");
  EXPECT_TRUE(absl::StrContains(http1, "no application protocol")) << http1;
  const std::string plain = Output(absl::StrCat("curl -sS --max-time 20 http://localhost:", port));
  EXPECT_FALSE(absl::StrContains(plain, "HTTP/")) << plain;

  const auto openssl = [&](const std::string& flags) {
    return Output(absl::StrCat("openssl s_client -connect localhost:", port, " -CAfile ", ca_file_,
                               " -verify_return_error ", flags));
  };
  EXPECT_TRUE(absl::StrContains(openssl("-alpn h2"), "ALPN protocol: h2"));
  EXPECT_TRUE(absl::StrContains(openssl("-alpn h2 -tls1_2"), "TLSv1.2"));
  EXPECT_TRUE(
      absl::StrContains(openssl("-alpn h2 -tls1_2 -cipher AES128-GCM-SHA256"), "handshake failure"))
      << "a cipher without forward secrecy";
  EXPECT_TRUE(absl::StrContains(openssl("-alpn h2 -tls1_1 -cipher DEFAULT@SECLEVEL=0"),
                                "alert protocol version"));
  EXPECT_TRUE(absl::StrContains(openssl(""), "no application protocol"));
  // With TLS 1.3 the ticket comes after the handshake, for which this client does not wait.
  const std::string session = absl::StrCat("-alpn h2 -tls1_2 -sess_out ", dir_.path(), "/session");
  openssl(session);
  EXPECT_TRUE(absl::StrContains(
      openssl(absl::StrCat(session, " -sess_in ", dir_.path(), "/session")), "Reused, TLSv1.2"));
}

}  // namespace
}  // namespace pinion::testing
