// Whom either side of TLS believes: names, client certificates, sessions; and what is counted.
#include "gateway/net/tls_context.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gateway/tls_limits.h"
#include "tests/testing/tls_fixture.h"

namespace pinion::net {
namespace {

using TlsContextTest = TlsStreamTest;

TEST_F(TlsContextTest, TheServerMustProveItsName) {
  EXPECT_EQ(Connect(*client_, *server_).client_received, "pong");
  EXPECT_EQ(Connect(*client_, *server_, "127.0.0.1").client_received, "pong") << "an IP SAN";
  const Outcome other = Connect(*client_, *server_, "other.test");
  EXPECT_TRUE(absl::StrContains(other.client_error, "hostname mismatch")) << other.client_error;
  EXPECT_NE(other.server_error, "") << "it hears of the refusal";
  EXPECT_NE(Connect(*client_, *server_, "127.0.0.2").client_error, "");

  const CertificateAuthority stranger("Another CA");
  const auto trusting = Client({.trusted_ca = stranger.Write(dir_.path(), "stranger")});
  const Outcome unknown = Connect(*trusting, *server_);
  EXPECT_TRUE(absl::StrContains(unknown.client_error, "issuer certificate"))
      << unknown.client_error;
}

// CVE-2009-2408 and after: a name must match over its full length, whatever is in it.
TEST_F(TlsContextTest, ANulInASanMatchesNothing) {
  const auto files =
      ca_.Issue(dir_.path(), "nul", {.dns = {std::string("server.test\0.evil.test", 22)}});
  const auto server = Server({.certificates = {files}});
  EXPECT_NE(Connect(*client_, *server).client_error, "");
}

// A registry may hand out any text. What OpenSSL would take for no name at all, and so for every
// name, is refused.
TEST_F(TlsContextTest, ANameThatIsNoneIsRefused) {
  for (const std::string& name :
       {std::string(), std::string("\0server.test", 12), std::string("server.test\0", 12),
        std::string("server.test\n"), std::string(300, 'a')}) {
    const Outcome outcome = Connect(*client_, *server_, name);
    EXPECT_EQ(outcome.client_error, "the TLS name is neither a DNS name nor an IP address");
    EXPECT_EQ(outcome.client_received, "");
  }
}

// RFC 9525 §6.3: the subject's common name is no server name.
TEST_F(TlsContextTest, ACommonNameMatchesNothing) {
  const auto server =
      Server({.certificates = {ca_.Issue(dir_.path(), "cn", {.common_name = "server.test"})}});
  EXPECT_TRUE(absl::StrContains(Connect(*client_, *server).client_error, "hostname mismatch"));
}

TEST_F(TlsContextTest, SessionsAreResumedAlsoAfterAKeyRotation) {
  auto slot = std::make_shared<TlsSessionSlot>();
  EXPECT_FALSE(Connect(*client_, *server_, "server.test", slot).resumed);
  EXPECT_TRUE(Connect(*client_, *server_, "server.test", slot).resumed);
  EXPECT_TRUE(Connect(*client_, *server_, "server.test", slot).resumed);
  // Another worker or listener with the same ring; then after rotations.
  server_ = Server({.certificates = {server_files_}});
  EXPECT_TRUE(Connect(*client_, *server_, "server.test", slot).resumed);
  tickets_ = tickets_->Rotated();
  server_ = Server({.certificates = {server_files_}});
  const auto before = slot;
  EXPECT_TRUE(Connect(*client_, *server_, "server.test", slot).resumed);
  // The last connection brought a ticket of the new key, so a stranger's ring is needed to fail.
  tickets_ = std::make_shared<TlsTicketKeys>();
  server_ = Server({.certificates = {server_files_}});
  EXPECT_FALSE(Connect(*client_, *server_, "server.test", slot).resumed);
}

TEST_F(TlsContextTest, AnOldTicketKeyIsForgottenAfterSomeRotations) {
  auto slot = std::make_shared<TlsSessionSlot>();
  Connect(*client_, *server_, "server.test", slot);
  for (size_t i = 0; i <= limits::kTlsTicketKeysKept; ++i) tickets_ = tickets_->Rotated();
  EXPECT_EQ(tickets_->keys().size(), limits::kTlsTicketKeysKept + 1);
  server_ = Server({.certificates = {server_files_}});
  EXPECT_FALSE(Connect(*client_, *server_, "server.test", slot).resumed);
}

// Every combination of what the server asks for and what the client shows.
TEST_F(TlsContextTest, ClientCertificates) {
  const auto good = ca_.Issue(dir_.path(), "client", {.dns = {"client.test"}});
  const auto expired =
      ca_.Issue(dir_.path(), "expired", {.dns = {"client.test"}, .valid = -absl::Hours(1)});
  const CertificateAuthority stranger("Another CA");
  const auto strange = stranger.Issue(dir_.path(), "strange", {.dns = {"client.test"}});
  enum class Asks { kNothing, kOptional, kRequired };
  const struct {
    const char* what;
    const TlsCertificateFiles* shown;
    bool good[3];  // by Asks
  } cases[] = {{"none", nullptr, {true, true, false}},
               {"good", &good, {true, true, true}},
               {"expired", &expired, {true, false, false}},
               {"of another CA", &strange, {true, false, false}}};
  for (const auto& each : cases) {
    for (const Asks asks : {Asks::kNothing, Asks::kOptional, Asks::kRequired}) {
      SCOPED_TRACE(std::string(each.what) + " " + std::to_string(static_cast<int>(asks)));
      TlsServerOptions server{.certificates = {server_files_}};
      if (asks != Asks::kNothing) server.trusted_ca = ca_file_;
      server.require_client_certificate = asks == Asks::kRequired;
      TlsClientOptions client{.trusted_ca = ca_file_};
      if (each.shown != nullptr) client.certificate = *each.shown;
      const Outcome outcome = Connect(*Client(client), *Server(server));
      const bool expected = each.good[static_cast<int>(asks)];
      EXPECT_EQ(outcome.client_received == "pong", expected) << outcome.server_error;
      EXPECT_EQ(outcome.server_error.empty(), expected) << outcome.server_error;
    }
  }
}

// A ticket is good only where the client would be trusted by the same certificates.
TEST_F(TlsContextTest, AnotherTrustedCaMeansAFullHandshake) {
  auto slot = std::make_shared<TlsSessionSlot>();
  const auto optional = Server({.certificates = {server_files_}, .trusted_ca = ca_file_});
  Connect(*client_, *optional, "server.test", slot);
  EXPECT_TRUE(Connect(*client_, *optional, "server.test", slot).resumed);
  const CertificateAuthority stranger("Another CA");
  const auto other =
      Server({.certificates = {server_files_}, .trusted_ca = stranger.Write(dir_.path(), "other")});
  EXPECT_FALSE(Connect(*client_, *other, "server.test", slot).resumed);
}

// The session was checked by a context that trusted others.
TEST_F(TlsContextTest, ASessionIsNotUsedByAnotherContext) {
  auto slot = std::make_shared<TlsSessionSlot>();
  Connect(*client_, *server_, "server.test", slot);
  const auto other = Client({.trusted_ca = ca_file_});
  EXPECT_FALSE(Connect(*other, *server_, "server.test", slot).resumed);
  EXPECT_TRUE(Connect(*other, *server_, "server.test", slot).resumed);
}

TEST_F(TlsContextTest, ATurnHasTimeForSomeHandshakes) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  int taken = 0;
  const auto take = [&] {
    taken = 0;
    for (int i = 0; i < 1000; ++i) taken += shared.TakeHandshakeTurn() ? 1 : 0;
  };
  for (int turn = 0; turn < 3; ++turn) {
    loop.Post(take);
    world.RunFor(absl::Milliseconds(1));
    EXPECT_EQ(taken, limits::kTlsHandshakesPerTurn);
  }
}

TEST_F(TlsContextTest, WhatBecameOfHandshakesIsCounted) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  const auto slot = std::make_shared<TlsSessionSlot>();
  const auto connect = [&](const TlsContext& client, const TlsContext& server,
                           const std::string& name) {
    MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
    Talker from(client.Connect(shared, std::move(pair.connector), name, slot), "ping", 100);
    Talker to(server.Accept(shared, std::move(pair.acceptor)), "pong", 100);
    world.RunFor(absl::Seconds(10));
  };
  const auto failures = [](const TlsStats& stats, TlsFailure failure) {
    return stats.failures[static_cast<size_t>(failure)].value();
  };
  connect(*client_, *server_, "server.test");
  connect(*client_, *server_, "server.test");
  EXPECT_EQ(shared.downstream.handshakes.value(), 2u);
  EXPECT_EQ(shared.upstream.handshakes.value(), 2u);
  EXPECT_EQ(shared.downstream.resumed.value(), 1u);
  EXPECT_EQ(shared.upstream.resumed.value(), 1u);
  connect(*Client({.trusted_ca = ca_file_}), *server_, "other.test");
  EXPECT_EQ(failures(shared.upstream, TlsFailure::kCertificate), 1u);
  EXPECT_EQ(failures(shared.downstream, TlsFailure::kRefused), 1u);
  const auto strict = Server({.certificates = {server_files_},
                              .trusted_ca = ca_file_,
                              .require_client_certificate = true});
  connect(*client_, *strict, "server.test");
  EXPECT_EQ(failures(shared.downstream, TlsFailure::kCertificate), 1u);
}

}  // namespace
}  // namespace pinion::net
