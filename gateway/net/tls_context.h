// What TLS connections of one kind are made with: certificates, whom to trust, ticket keys.
// Immutable, so that the workers of a process share it; a changed file means another TlsContext for
// the connections from then on, while those before keep theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/net/byte_stream.h"
#include "gateway/net/tls_files.h"
#include "gateway/net/tls_tickets.h"

struct ssl_ctx_st;
struct ssl_session_st;
struct x509_st;

namespace pinion::net {

// Both only with forward secrecy and AEAD (RFC 9113 §9.2).
enum class TlsVersion : uint8_t { kTls12, kTls13 };

struct TlsServerOptions {
  std::vector<TlsCertificateFiles> certificates;  // one, or one for each kind of key
  std::string trusted_ca;                         // empty: clients are not asked for a certificate
  bool require_client_certificate = false;
  TlsVersion min_version = TlsVersion::kTls12;
};

struct TlsClientOptions {
  std::string trusted_ca;                          // empty: whom the system trusts
  std::optional<TlsCertificateFiles> certificate;  // shown to servers that ask
  TlsVersion min_version = TlsVersion::kTls12;
};

class TlsShared;

// The last session with one server, by which the next connection to it is cheaper, and the context
// that checked its certificate: in another one, which may trust others, the session is not used.
// One thread.
class TlsSessionSlot {
 public:
  TlsSessionSlot();
  ~TlsSessionSlot();
  TlsSessionSlot(const TlsSessionSlot&) = delete;
  TlsSessionSlot& operator=(const TlsSessionSlot&) = delete;

 private:
  friend class TlsContext;
  friend class TlsStream;
  ssl_session_st* session_ = nullptr;
  std::shared_ptr<const class TlsContext> context_;
};

class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  // Errors as in tls_files.h.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> ForServers(
      const TlsServerOptions& options, std::shared_ptr<const TlsTicketKeys> tickets);
  static absl::StatusOr<std::shared_ptr<const TlsContext>> ForClients(
      const TlsClientOptions& options);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The server's side of TLS on `stream`, whose client must offer HTTP/2 by ALPN. `shared` outlives
  // the result.
  std::unique_ptr<ByteStream> Accept(TlsShared& shared, std::unique_ptr<ByteStream> stream) const;

  // The client's side, on a stream that may still be connecting. The server must prove to be `name`
  // (a DNS name, also sent as SNI, or an IP address) and choose HTTP/2; where `name` is neither,
  // the result fails. `shared` outlives it. `session` null: sessions are not resumed.
  std::unique_ptr<ByteStream> Connect(TlsShared& shared, std::unique_ptr<ByteStream> stream,
                                      const std::string& name,
                                      std::shared_ptr<TlsSessionSlot> session) const;

  // When the first of its certificates expires; InfiniteFuture without one.
  absl::Time expiry() const { return expiry_; }
  const TlsTicketKeys* tickets() const { return tickets_.get(); }
  // Equal for contexts that were made of the same options and certificates.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  absl::Status UseCertificate(const TlsCertificateFiles& files);
  void Trust(x509_st& certificate);
  void SetServerCallbacks();
  void Mark(const x509_st& certificate);

  ssl_ctx_st* const context_;
  absl::Time expiry_ = absl::InfiniteFuture();
  std::string fingerprint_;
  std::shared_ptr<const TlsTicketKeys> tickets_;
};

}  // namespace pinion::net
