// What the tests of TLS begin with: an authority, a server's certificate, and contexts for both
// sides.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tests/testing/temp_directory.h"
#include "tests/testing/tls_peers.h"

namespace pinion::net {

class TlsStreamTest : public ::testing::Test {
 protected:
  TlsStreamTest() {
    server_files_ =
        ca_.Issue(dir_.path(), "server", {.dns = {"server.test"}, .ips = {"127.0.0.1"}});
    ca_file_ = ca_.Write(dir_.path(), "ca");
    server_ = Server({.certificates = {server_files_}});
    client_ = Client({.trusted_ca = ca_file_});
  }

  std::shared_ptr<const TlsContext> Server(const TlsServerOptions& options) {
    auto made = TlsContext::ForServers(options, tickets_);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }
  static std::shared_ptr<const TlsContext> Client(const TlsClientOptions& options) {
    auto made = TlsContext::ForClients(options);
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }

  static std::string Bytes(Random& random, size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.Next());
    return bytes;
  }

  // One connection of `client` to `server` on friendly streams, run to its end.
  struct Outcome {
    std::string client_error, server_error, client_received;
    bool resumed = false;
  };
  Outcome Connect(const TlsContext& client, const TlsContext& server,
                  const std::string& name = "server.test",
                  std::shared_ptr<TlsSessionSlot> slot = nullptr) {
    SimWorld world(1);
    SimLoop loop(world);
    TlsShared shared(loop);
    MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
    Talker from(client.Connect(shared, std::move(pair.connector), name, std::move(slot)), "ping",
                100);
    Talker to(server.Accept(shared, std::move(pair.acceptor)), "pong", 100);
    world.RunFor(absl::Seconds(10));
    return {from.error, to.error, from.received, from.tls().resumed()};
  }

  // What a bare client with this ALPN hears, and what the server says.
  std::pair<std::string, std::string> ConnectBare(const std::string& alpn, int max_version = 0) {
    SimWorld world(1);
    SimLoop loop(world);
    TlsShared shared(loop);
    MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
    BareClient from(std::move(pair.connector), alpn, max_version);
    Talker to(server_->Accept(shared, std::move(pair.acceptor)), "", 100);
    world.RunFor(absl::Seconds(10));
    return {from.error, to.error};
  }

  testing::TempDirectory dir_;
  CertificateAuthority ca_;
  std::shared_ptr<const TlsTicketKeys> tickets_ = std::make_shared<TlsTicketKeys>();
  TlsCertificateFiles server_files_;
  std::string ca_file_;
  std::shared_ptr<const TlsContext> server_, client_;
};

}  // namespace pinion::net
