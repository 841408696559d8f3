#include "gateway/net/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "auth/tls_peer.h"
#include "base/address.h"
#include "base/check.h"
#include "base/sha256.h"
#include "base/status_macros.h"
#include "gateway/net/tls_pem.h"
#include "gateway/net/tls_stream.h"
#include "gateway/tls_limits.h"

namespace pinion::net {
namespace {

// RFC 7301: names with their lengths before them.
constexpr unsigned char kH2[] = {2, 'h', '2'};

// TLS 1.2 with ECDHE and AEAD alone (RFC 9113 §9.2.2); those of 1.3 are all good.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

const TlsContext& ContextOf(SSL* ssl) {
  return *static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// RFC 9113 §3.2: HTTP/2 over TLS is chosen by ALPN. A client that says nothing would speak
// HTTP/1.1, so it hears why in the handshake.
int RequireAlpn(SSL* ssl, int* alert, void* /*unused*/) {
  const unsigned char* extension = nullptr;
  size_t length = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension,
                                &length) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

int ChooseH2(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
             const unsigned char* offered, unsigned int offered_length, void* /*unused*/) {
  // Walked by hand: SSL_select_next_proto() would report a choice also without an overlap.
  for (unsigned int at = 0; at < offered_length; at += 1u + offered[at]) {
    if (offered_length - at < sizeof(kH2) || std::memcmp(offered + at, kH2, sizeof(kH2)) != 0) {
      continue;
    }
    *out = offered + at + 1;
    *out_length = kH2[0];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool InitTicket(const TlsTicketKey& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                EVP_MAC_CTX* mac, bool seal) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<uint8_t*>(key.mac.data()),
                                        key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv,
                           seal ? 1 : 0) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb: 1 goes on, 2 also asks for a new ticket, 0 means a full
// handshake, -1 an error.
int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
             EVP_MAC_CTX* mac, int seal) {
  const absl::Span<const TlsTicketKey> keys = ContextOf(ssl).tickets()->keys();
  if (seal != 0) {
    const TlsTicketKey& key = keys.front();
    std::copy(key.name.begin(), key.name.end(), name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    return InitTicket(key, iv, cipher, mac, true) ? 1 : -1;
  }
  for (const TlsTicketKey& key : keys) {
    if (!std::equal(key.name.begin(), key.name.end(), name)) continue;
    if (!InitTicket(key, iv, cipher, mac, false)) return -1;
    // A ticket of TLS 1.3 is used once, so there each session brings the next.
    return &key == &keys.front() && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
  }
  return 0;
}

// What a ticket holds was true when it was sealed. A client whose certificate has expired since
// needs another one.
SSL_TICKET_RETURN OnTicketOpened(SSL* /*ssl*/, SSL_SESSION* session, const unsigned char* /*name*/,
                                 size_t /*name_length*/, SSL_TICKET_STATUS status,
                                 void* /*unused*/) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  const X509* client = SSL_SESSION_get0_peer(session);
  if (client != nullptr && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

// Called for each certificate of a client's chain, the client's own last.
int OnClientCertificate(int good, X509_STORE_CTX* store) {
  if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return good;
  if (auth::NamesAreClear(*X509_STORE_CTX_get_current_cert(store))) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

SslCtxPtr NewContext(const SSL_METHOD* method, TlsVersion min_version) {
  SslCtxPtr context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  SSL_CTX* ssl = context.get();
  CHECK(SSL_CTX_set_min_proto_version(
            ssl, min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(ssl, kCiphers) == 1);
  CHECK(SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384") == 1);
  // RFC 9113 §9.2.1 forbids renegotiation and compression.
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps no record buffers; and what is sent again after a blocked write may
  // lie elsewhere then.
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read takes whole records, header and body, and several small ones.
  SSL_CTX_set_read_ahead(ssl, 1);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  return context;
}

std::string Der(const X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return "";
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

// A resumed session is only good where it would have been verified the same way: what clients are
// trusted by is part of what a ticket is for.
std::string SessionScope(const TlsServerOptions& options, const std::vector<X509Ptr>& trusted) {
  Sha256 digest;
  for (const X509Ptr& certificate : trusted) digest.Add(Der(*certificate));
  digest.Add(options.require_client_certificate ? "required" : "optional");
  return digest.Hex().substr(0, SSL_MAX_SID_CTX_LENGTH);
}

// False for a name that OpenSSL could not look for in a certificate. It must not come that far: an
// empty one, also one that a NUL makes empty, would let it accept every name.
bool RequireName(SSL& ssl, const std::string& name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(),
                                   [](unsigned char c) { return absl::ascii_isgraph(c); })) {
    return false;
  }
  if (ParseIp(name).has_value()) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), name.c_str()) == 1;
  }
  // Of the certificate only SANs count (RFC 9525 §6.3), and a wildcard is a whole label.
  SSL_set_hostflags(&ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set_tlsext_host_name(&ssl, name.c_str()) == 1 &&
         SSL_set1_host(&ssl, name.c_str()) == 1;
}

}  // namespace

TlsSessionSlot::TlsSessionSlot() = default;
TlsSessionSlot::~TlsSessionSlot() { SSL_SESSION_free(session_); }

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

absl::Status TlsContext::UseCertificate(const TlsCertificateFiles& files) {
  ASSIGN_OR_RETURN(const TlsCertificate certificate, ReadCertificate(files));
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> chain(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (size_t i = 1; i < certificate.chain.size(); ++i) {
    sk_X509_push(chain.get(), certificate.chain[i].get());
  }
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(context_, certificate.chain.front().get(), certificate.key.get(),
                               chain.get(), /*override=*/0) != 1) {
    const bool second = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NOT_REPLACING_CERTIFICATE;
    const std::string why = TakeOpenSslError();
    return absl::InvalidArgumentError(
        second
            ? absl::StrCat(files.certificate_chain,
                           " is a second certificate with the same kind of key; keep one of each")
            : absl::StrCat(files.certificate_chain, " cannot be used: ", why));
  }
  expiry_ = std::min(expiry_, NotAfter(*certificate.chain.front()));
  for (const X509Ptr& each : certificate.chain) Mark(*each);
  return absl::OkStatus();
}

// A key belongs to its certificate, so it needs no mark of its own.
void TlsContext::Mark(const X509& certificate) {
  fingerprint_ = Sha256Hex(absl::StrCat(fingerprint_, Der(certificate)));
}

void TlsContext::Trust(X509& certificate) {
  Mark(certificate);
  // Fails for what is there twice, which does no harm.
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), &certificate);
  ERR_clear_error();
}

void TlsContext::SetServerCallbacks() {
  SSL_CTX_set_client_hello_cb(context_, RequireAlpn, nullptr);
  SSL_CTX_set_alpn_select_cb(context_, ChooseH2, nullptr);
  CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, OnTicket) == 1);
  CHECK(SSL_CTX_set_session_ticket_cb(context_, nullptr, OnTicketOpened, nullptr) == 1);
  // A gRPC client opens few connections, and each session brings its next ticket.
  CHECK(SSL_CTX_set_num_tickets(context_, 1) == 1);
  SSL_CTX_set_timeout(context_, absl::ToInt64Seconds(limits::kTlsSessionLifetime));
  SSL_CTX_set_options(context_, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::ForServers(
    const TlsServerOptions& options, std::shared_ptr<const TlsTicketKeys> tickets) {
  std::shared_ptr<TlsContext> made(
      new TlsContext(NewContext(TLS_server_method(), options.min_version).release()));
  SSL_CTX_set_app_data(made->context_, made.get());
  made->tickets_ = std::move(tickets);
  made->SetServerCallbacks();
  if (options.certificates.empty()) {
    return absl::InvalidArgumentError("a TLS listener needs a certificate");
  }
  for (const TlsCertificateFiles& files : options.certificates) {
    RETURN_IF_ERROR(made->UseCertificate(files));
  }
  std::vector<X509Ptr> trusted;
  if (!options.trusted_ca.empty()) {
    ASSIGN_OR_RETURN(trusted, ReadCertificates(options.trusted_ca));
    for (const X509Ptr& certificate : trusted) {
      made->Trust(*certificate);
      SSL_CTX_add_client_CA(made->context_, certificate.get());
    }
    const int require = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | require, OnClientCertificate);
  } else if (options.require_client_certificate) {
    return absl::InvalidArgumentError(
        "require_client_certificate needs trusted_ca, by which clients are checked");
  }
  const std::string scope = SessionScope(options, trusted);
  CHECK(SSL_CTX_set_session_id_context(made->context_,
                                       reinterpret_cast<const unsigned char*>(scope.data()),
                                       static_cast<unsigned int>(scope.size())) == 1);
  return made;
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::ForClients(
    const TlsClientOptions& options) {
  std::shared_ptr<TlsContext> made(
      new TlsContext(NewContext(TLS_client_method(), options.min_version).release()));
  SSL_CTX* context = made->context_;
  SSL_CTX_set_app_data(context, made.get());
  // Returns 0 on success, unlike its neighbours.
  CHECK(SSL_CTX_set_alpn_protos(context, kH2, sizeof(kH2)) == 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, TlsStream::OnNewSession);
  if (options.trusted_ca.empty()) {
    CHECK(SSL_CTX_set_default_verify_paths(context) == 1);
  } else {
    ASSIGN_OR_RETURN(const std::vector<X509Ptr> trusted, ReadCertificates(options.trusted_ca));
    for (const X509Ptr& certificate : trusted) made->Trust(*certificate);
  }
  if (options.certificate.has_value()) RETURN_IF_ERROR(made->UseCertificate(*options.certificate));
  return made;
}

std::unique_ptr<ByteStream> TlsContext::Accept(TlsShared& shared,
                                               std::unique_ptr<ByteStream> stream) const {
  SslPtr ssl(SSL_new(context_));
  CHECK(ssl != nullptr);
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(shared_from_this(), shared, std::move(ssl), std::move(stream),
                                     nullptr);
}

std::unique_ptr<ByteStream> TlsContext::Connect(TlsShared& shared,
                                                std::unique_ptr<ByteStream> stream,
                                                const std::string& name,
                                                std::shared_ptr<TlsSessionSlot> session) const {
  SslPtr ssl(SSL_new(context_));
  CHECK(ssl != nullptr);
  SSL_set_connect_state(ssl.get());
  const bool named = RequireName(*ssl, name);
  if (session != nullptr && session->context_.get() == this) {
    SSL_set_session(ssl.get(), session->session_);
  }
  auto made = std::make_unique<TlsStream>(shared_from_this(), shared, std::move(ssl),
                                          std::move(stream), std::move(session));
  if (!named) made->Refuse("the TLS name is neither a DNS name nor an IP address");
  return made;
}

}  // namespace pinion::net
