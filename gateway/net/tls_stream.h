// TLS over another ByteStream, as a ByteStream: OpenSSL between two streams, on the loop's thread.
// Made by TlsContext.
//
//     kHandshake → kOpen → kFailed
//          └────────────────↗
//
// Handshakes cost time, of which each turn has a share for them (TlsShared): one that comes too
// late waits for the next.
//
// Reading. OpenSSL takes ciphertext from the stream below as it needs it, and not again before the
// next edge once that gave less than asked. A side that ends without close_notify has not said all
// (RFC 8446 §6.1): kFailed, never kEof.
//
// Writing. The plaintext becomes records in one batch on the stack, which is written below at once.
// What does not fit there is kept, and of the plaintext in it one byte is reported as not taken, so
// that a caller who sees everything taken knows that everything has left. The caller's next write
// begins with that byte, which is skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "auth/tls_peer.h"
#include "gateway/net/byte_stream.h"
#include "gateway/net/openssl_ptr.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_shared.h"
#include "gateway/tls_limits.h"

namespace pinion::net {

class TlsStream final : public ByteStream, private ByteStream::Observer {
 public:
  TlsStream(std::shared_ptr<const TlsContext> context, TlsShared& shared, SslPtr ssl,
            std::unique_ptr<ByteStream> below, std::shared_ptr<TlsSessionSlot> session);
  ~TlsStream() override;

  void SetObserver(ByteStream::Observer* observer) override;
  IoResult Read(absl::Span<uint8_t> into) override;
  IoResult Write(absl::Span<const absl::Span<const uint8_t>> pieces) override;
  void WakeAgain() override { below_->WakeAgain(); }
  void FinishSending() override;
  std::string error() const override { return error_; }
  const std::string& peer() const override { return peer_; }
  const auth::TlsPeer* tls_peer() const override { return tls_peer_.get(); }
  absl::Duration RoundTrip() const override { return below_->RoundTrip(); }

  // Instead of a handshake: fails, and its first edge says so. Before SetObserver().
  void Refuse(std::string why) { Fail(TlsFailure::kCertificate, std::move(why)); }

  // By a session of an earlier connection; false before the handshake is over.
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

  // Of a client's SSL_CTX: keeps the session for the next connection.
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);

 private:
  enum class State : uint8_t { kHandshake, kOpen, kFailed };
  struct Batch;
  struct BioMethod;

  void OnReadable() override;
  void OnWritable() override;

  bool Handshake();
  void FinishHandshake();
  void Fail(TlsFailure failure, std::string why);
  void FailWith(int ssl_error);

  IoResult AfterReading(size_t bytes, int ssl_error);
  bool Encrypt(absl::Span<const uint8_t> plain, Batch& batch, size_t& taken);
  void SendBatch(Batch& batch);
  void FlushKept();

  // The handshake has bounds of its own.
  bool flooded() const {
    return state_ == State::kOpen && silent_bytes_ > limits::kTlsSilentBytesMax;
  }

  // ---- what OpenSSL reads from and writes to ----
  int BioRead(char* into, int size);
  int BioWrite(const char* from, int size);

  const std::shared_ptr<const TlsContext> context_;
  TlsShared& shared_;
  const std::unique_ptr<ByteStream> below_;
  const SslPtr ssl_;
  const std::shared_ptr<TlsSessionSlot> session_;
  const std::string peer_;
  std::unique_ptr<const auth::TlsPeer> tls_peer_;
  ByteStream::Observer* observer_ = nullptr;
  std::string error_;
  State state_ = State::kHandshake;

  bool dry_ = false;          // the stream below has nothing until its next edge
  bool below_ended_ = false;  // it has ended
  bool ended_ = false;        // close_notify was read
  bool finished_ = false;     // close_notify was sent, or nothing may be any more
  bool read_waits_for_write_ = false;
  size_t silent_bytes_ = 0;  // ciphertext since the last byte of plaintext

  Batch* batch_ = nullptr;   // within Write()
  std::string kept_;         // ciphertext that the stream below has not taken
  bool unreported_ = false;  // the first byte of the next write is in it, or has left
};

}  // namespace pinion::net
