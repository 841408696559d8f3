// Scenarios whose callers come over TLS, with certificates of one authority.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/net/tls_context.h"
#include "tests/scenario/scenario.h"
#include "tests/testing/certificates.h"
#include "tests/testing/temp_directory.h"

namespace pinion::proxy {

class TlsScenarioTest : public ScenarioTest {
 protected:
  TlsScenarioTest() {
    ca_file_ = ca_.Write(dir_.path(), "ca");
    const auto files = ca_.Issue(dir_.path(), "server", {.dns = {"gateway.test"}});
    server_ = *net::TlsContext::ForServers({.certificates = {files}, .trusted_ca = ca_file_},
                                           std::make_shared<net::TlsTicketKeys>());
    network_.Listen(kGateway, proxy_loop_, [this](std::unique_ptr<net::ByteStream> stream) {
      proxy_->Accept(server_->Accept(proxy_->tls(), std::move(stream)), listener_);
    });
  }

  void ConnectTlsClient() { ConnectWith({.trusted_ca = ca_file_}); }
  // With a certificate of these names.
  void ConnectTlsClient(const testing::CertificateSpec& spec) {
    ConnectWith({.trusted_ca = ca_file_, .certificate = ca_.Issue(dir_.path(), "client", spec)});
  }
  void ConnectWith(const net::TlsClientOptions& options) {
    const auto context = *net::TlsContext::ForClients(options);
    clients_.push_back(std::make_unique<testing::SimClient>(
        peers_,
        context->Connect(peers_.tls, network_.Connect(peer_loop_, kGateway), "gateway.test",
                         nullptr),
        http2::Options(), [this](CallBook::Entry&) { ++ended_; }));
    client_ = clients_.back().get();
  }

  testing::TempDirectory dir_;
  const testing::CertificateAuthority ca_;
  std::string ca_file_;
  std::shared_ptr<const net::TlsContext> server_;
};

}  // namespace pinion::proxy
