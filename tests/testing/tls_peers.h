// For tests of TLS: a peer that keeps a ByteStream's contract to the letter, one that is a bare
// OpenSSL and does what no TlsStream would, and certificates for both.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/net/openssl_ptr.h"
#include "gateway/net/tls_context.h"
#include "gateway/net/tls_shared.h"
#include "gateway/net/tls_stream.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/memory_stream.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_world.h"

namespace pinion::net {

using testing::CertificateAuthority;
using testing::LinkPolicy;
using testing::MemoryStream;
using testing::Random;
using testing::SimLoop;
using testing::SimWorld;

// Writes `to_send` in pieces of odd sizes and reads everything, strictly by the contract: only
// after an edge, and until the stream says that it would block.
class Talker final : public ByteStream::Observer {
 public:
  Talker(std::unique_ptr<ByteStream> stream, std::string to_send, size_t piece_bytes,
         bool finishes = true)
      : stream_(std::move(stream)),
        to_send_(std::move(to_send)),
        piece_bytes_(piece_bytes),
        finishes_(finishes) {
    stream_->SetObserver(this);
    // Finishing in the handshake would end it.
    if (!to_send_.empty()) Send();
  }

  void OnReadable() override {
    while (stream_ != nullptr) {
      const IoResult result = stream_->Read(absl::MakeSpan(buffer_));
      if (result.state == IoState::kEof) saw_end = true;
      if (result.state == IoState::kFailed) Failed();
      if (result.state != IoState::kOk) return;
      received.append(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(result.bytes));
      if (result.bytes < buffer_.size()) return;
    }
  }
  void OnWritable() override { Send(); }
  void Close() { stream_.reset(); }

  bool all_sent() const { return sent_ == to_send_.size(); }
  TlsStream& tls() { return static_cast<TlsStream&>(*stream_); }

  std::string received;
  std::string error;
  bool saw_end = false;
  bool failed = false;

 private:
  void Send() {
    while (sent_ < to_send_.size()) {
      std::vector<absl::Span<const uint8_t>> pieces;
      size_t offered = 0;
      for (size_t at = sent_; at < to_send_.size() && pieces.size() < 5; at += piece_bytes_) {
        const size_t size = std::min(piece_bytes_, to_send_.size() - at);
        pieces.emplace_back(reinterpret_cast<const uint8_t*>(to_send_.data()) + at, size);
        offered += size;
      }
      const IoResult result = stream_->Write(pieces);
      if (result.state == IoState::kFailed) Failed();
      if (result.state != IoState::kOk) return;
      sent_ += result.bytes;
      if (result.bytes < offered) return;
    }
    if (finishes_) stream_->FinishSending();
  }
  void Failed() {
    failed = true;
    error = stream_->error();
  }

  std::unique_ptr<ByteStream> stream_;
  const std::string to_send_;
  const size_t piece_bytes_;
  const bool finishes_;
  size_t sent_ = 0;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(20000);
};

// A bare OpenSSL over a ByteStream: ciphertext goes through memory.
class BareClient final : public ByteStream::Observer {
 public:
  BareClient(std::unique_ptr<ByteStream> stream, const std::string& alpn, int max_version = 0)
      : stream_(std::move(stream)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    SSL_CTX_set_min_proto_version(context_.get(), 0);
    SSL_CTX_set_security_level(context_.get(), 0);
    if (!alpn.empty()) {
      SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                              static_cast<unsigned int>(alpn.size()));
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_connect_state(ssl_.get());
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    stream_->SetObserver(this);
    Turn();
  }

  void OnReadable() override {
    std::vector<uint8_t> buffer(4096);
    while (true) {
      const IoResult result = stream_->Read(absl::MakeSpan(buffer));
      if (result.state == IoState::kEof || result.state == IoState::kFailed) ended = true;
      if (result.state != IoState::kOk) break;
      BIO_write(SSL_get_rbio(ssl_.get()), buffer.data(), static_cast<int>(result.bytes));
      if (result.bytes < buffer.size()) break;
    }
    Turn();
  }
  void OnWritable() override { Turn(); }

  // Handshakes, reads, and sends what OpenSSL has to say.
  void Turn() {
    ERR_clear_error();
    char byte;
    const int result =
        established() ? SSL_read(ssl_.get(), &byte, 1) : SSL_do_handshake(ssl_.get());
    if (result <= 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL) {
      const char* reason = ERR_reason_error_string(ERR_peek_last_error());
      if (error.empty()) error = reason == nullptr ? "?" : reason;
    }
    Flush();
  }
  void Flush() {
    BIO* out = SSL_get_wbio(ssl_.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    if (size <= 0) return;
    const absl::Span<const uint8_t> piece(reinterpret_cast<uint8_t*>(data),
                                          static_cast<size_t>(size));
    const IoResult result = stream_->Write({piece});
    std::vector<char> dropped(result.bytes);
    if (result.bytes > 0) BIO_read(out, dropped.data(), static_cast<int>(dropped.size()));
  }
  bool established() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  SSL* ssl() { return ssl_.get(); }

  std::string error;
  bool ended = false;

 private:
  std::unique_ptr<ByteStream> stream_;
  SslCtxPtr context_;
  SslPtr ssl_;
};

}  // namespace pinion::net
