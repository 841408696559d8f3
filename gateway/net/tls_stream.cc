#include "gateway/net/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/net/tls_pem.h"
#include "gateway/tls_limits.h"

namespace pinion::net {
namespace {

// What a record adds at most to its plaintext: header, TLS 1.2's nonce, content type, tag; with
// room for a message of the handshake protocol in front of it.
constexpr size_t kRecordOverhead = 512;

// What a reason of OpenSSL's means to whoever counts failures.
TlsFailure FailureOf(int reason) {
  switch (reason) {
    case SSL_R_CALLBACK_FAILED:  // RequireAlpn(), the only one that fails a handshake
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFailure::kAlpn;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:  // also that of a record header that is none
      return TlsFailure::kNotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return TlsFailure::kVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
      return TlsFailure::kCipher;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFailure::kCertificate;
    default:
      // OpenSSL's reasons for an alert are its number above this.
      return reason >= SSL_AD_REASON_OFFSET ? TlsFailure::kRefused : TlsFailure::kProtocol;
  }
}

// The pieces of one Write() as plaintexts of records.
class Plaintext {
 public:
  Plaintext(absl::Span<const absl::Span<const uint8_t>> pieces, size_t skip)
      : pieces_(pieces.subspan(0, kWritePiecesMax)), at_(skip) {
    SkipEmpty();
  }

  bool empty() const { return index_ == pieces_.size(); }

  // The bytes of the next record, not empty: where they lie, or joined in `scratch` when several
  // whole pieces fit, since a record costs more than a small copy. Unchanged until Consume().
  absl::Span<const uint8_t> Next(absl::Span<uint8_t> scratch) const {
    absl::Span<const uint8_t> first = pieces_[index_].subspan(at_);
    if (index_ + 1 == pieces_.size() ||
        first.size() + pieces_[index_ + 1].size() > limits::kTlsRecordBytes) {
      return first.subspan(0, limits::kTlsRecordBytes);
    }
    size_t joined = 0;
    for (size_t i = index_; i < pieces_.size(); ++i) {
      const absl::Span<const uint8_t> piece = i == index_ ? first : pieces_[i];
      if (joined + piece.size() > limits::kTlsRecordBytes) break;
      std::copy(piece.begin(), piece.end(), scratch.begin() + joined);
      joined += piece.size();
    }
    return scratch.first(joined);
  }

  void Consume(size_t bytes) {
    at_ += bytes;
    SkipEmpty();
  }

 private:
  // Goes on to where `at_` lies within a piece.
  void SkipEmpty() {
    while (index_ < pieces_.size() && at_ >= pieces_[index_].size()) {
      at_ -= pieces_[index_].size();
      ++index_;
    }
  }

  const absl::Span<const absl::Span<const uint8_t>> pieces_;
  size_t index_ = 0;
  size_t at_;
};

}  // namespace

struct TlsStream::Batch {
  std::array<uint8_t, limits::kTlsBatchBytes> bytes;
  size_t size = 0;
  std::array<uint8_t, limits::kTlsRecordBytes> scratch;

  bool full() const { return bytes.size() - size < limits::kTlsRecordBytes + kRecordOverhead; }
};

// OpenSSL's way to the stream below.
struct TlsStream::BioMethod {
  static TlsStream& Self(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const int count = Self(bio).BioRead(into, size);
    if (count < 0 && Self(bio).dry_) BIO_set_retry_read(bio);
    return count;
  }

  static int Write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    const int count = Self(bio).BioWrite(from, size);
    if (count == 0) BIO_set_retry_write(bio);
    return count == 0 ? -1 : count;
  }

  static long Control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_EOF) return Self(bio).below_ended_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static int Create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static const BIO_METHOD* Get() {
    // Constant once it is made.
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteStream");
      CHECK(made != nullptr);
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      BIO_meth_set_create(made, Create);
      return made;
    }();
    return method;
  }
};

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context, TlsShared& shared, SslPtr ssl,
                     std::unique_ptr<ByteStream> below, std::shared_ptr<TlsSessionSlot> session)
    : context_(std::move(context)),
      shared_(shared),
      below_(std::move(below)),
      ssl_(std::move(ssl)),
      session_(std::move(session)),
      peer_(below_->peer()) {
  BIO* bio = BIO_new(BioMethod::Get());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
}

TlsStream::~TlsStream() {
  if (state_ != State::kOpen || finished_ || !kept_.empty()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

int TlsStream::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  const TlsStream& self = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  TlsSessionSlot* slot = self.session_.get();
  if (slot == nullptr) return 0;
  SSL_SESSION_free(std::exchange(slot->session_, session));
  slot->context_ = self.context_;
  return 1;  // the session is ours now
}

// Edges wait below until somebody wants them.
void TlsStream::SetObserver(ByteStream::Observer* observer) {
  observer_ = observer;
  below_->SetObserver(observer == nullptr ? nullptr : this);
  // A stream that was connected already may bring no edge to begin by. A client cannot end the
  // handshake in its first step; and where the stream below has failed, its edges will say so.
  const bool begins = state_ == State::kHandshake && SSL_in_before(ssl_.get()) == 1;
  if (observer != nullptr && begins && SSL_is_server(ssl_.get()) == 0) Handshake();
}

void TlsStream::OnReadable() {
  dry_ = false;
  if (state_ != State::kHandshake) return observer_->OnReadable();
  if (!shared_.TakeHandshakeTurn()) return below_->WakeAgain();
  if (!Handshake()) return;
  // The handshake's last read may have brought data along, for which no further edge comes. Reading
  // may destroy this stream, so it comes last.
  observer_->OnWritable();
  observer_->OnReadable();
}

// The stream below may have a readable edge to deliver after this one, so nothing may be read here,
// which could destroy both: what is to be read comes with another turn.
void TlsStream::OnWritable() {
  if (state_ == State::kHandshake) {
    if (!shared_.TakeHandshakeTurn()) return below_->WakeAgain();
    if (!Handshake()) return;
    below_->WakeAgain();
    return observer_->OnWritable();
  }
  FlushKept();
  if (!kept_.empty()) return;
  if (std::exchange(read_waits_for_write_, false)) below_->WakeAgain();
  observer_->OnWritable();
}

// True: it is over, for better or worse.
bool TlsStream::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    FinishHandshake();
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  FailWith(error);
  return true;
}

void TlsStream::FinishHandshake() {
  const unsigned char* chosen = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &length);
  if (length != 2 || std::memcmp(chosen, "h2", 2) != 0) {
    return Fail(TlsFailure::kAlpn,
                "the server does not speak HTTP/2 here: it did not choose h2 by ALPN");
  }
  state_ = State::kOpen;
  silent_bytes_ = 0;
  if (const X509* certificate = SSL_get0_peer_certificate(ssl_.get()); certificate != nullptr) {
    tls_peer_ = std::make_unique<const auth::TlsPeer>(auth::ReadTlsPeer(*certificate));
  }
  TlsStats& stats = shared_.stats(SSL_is_server(ssl_.get()) != 0);
  stats.handshakes.Add();
  if (resumed()) stats.resumed.Add();
}

void TlsStream::Fail(TlsFailure failure, std::string why) {
  shared_.stats(SSL_is_server(ssl_.get()) != 0).failures[static_cast<size_t>(failure)].Add();
  state_ = State::kFailed;
  finished_ = true;
  error_ = std::move(why);
  below_->FinishSending();  // an alert may be on its way
}

// What OpenSSL, the certificate's check or the stream below says of a step that failed.
void TlsStream::FailWith(int ssl_error) {
  const bool handshake = state_ == State::kHandshake;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  const std::string text = TakeOpenSslError();
  if (below_ended_) {
    return handshake
               ? Fail(TlsFailure::kClosed, "the peer closed the connection in the TLS handshake")
               : Fail(TlsFailure::kTruncated,
                      "the peer closed the connection without a TLS close_notify");
  }
  if (flooded()) return Fail(TlsFailure::kProtocol, "the peer sends TLS messages without data");
  if (ssl_error == SSL_ERROR_SYSCALL) {
    return Fail(handshake ? TlsFailure::kClosed : TlsFailure::kTruncated, below_->error());
  }
  const TlsFailure failure = FailureOf(reason);
  if (failure == TlsFailure::kAlpn) {
    return Fail(failure, "the client does not offer HTTP/2 (h2) by ALPN");
  }
  if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
    // The only check of our own is that of names.
    const std::string what = verified == X509_V_ERR_APPLICATION_VERIFICATION
                                 ? "a name with a NUL in it, or several SPIFFE IDs"
                                 : X509_verify_cert_error_string(verified);
    return Fail(TlsFailure::kCertificate,
                absl::StrCat("the peer's certificate is not good: ", what));
  }
  Fail(failure, absl::StrCat("TLS: ", text.empty() ? "protocol error" : text));
}

// ---- reading ----

IoResult TlsStream::Read(absl::Span<uint8_t> into) {
  if (state_ == State::kFailed) return {IoState::kFailed};
  if (state_ == State::kHandshake) return {IoState::kBlocked};
  size_t total = 0;
  while (total < into.size()) {
    ERR_clear_error();
    size_t count = 0;
    if (SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &count) != 1) {
      return AfterReading(total, SSL_get_error(ssl_.get(), 0));
    }
    total += count;
    silent_bytes_ = 0;
    if (dry_ && SSL_has_pending(ssl_.get()) == 0) break;
  }
  return {IoState::kOk, total};
}

IoResult TlsStream::AfterReading(size_t bytes, int ssl_error) {
  if (ssl_error == SSL_ERROR_ZERO_RETURN) {
    ended_ = true;
  } else if (ssl_error == SSL_ERROR_WANT_WRITE) {
    read_waits_for_write_ = true;
  } else if (ssl_error != SSL_ERROR_WANT_READ) {
    FailWith(ssl_error);
  }
  const bool over = ended_ || state_ == State::kFailed;
  if (bytes == 0) {
    if (!over) return {IoState::kBlocked};
    return {ended_ ? IoState::kEof : IoState::kFailed};
  }
  // No edge will come for what is known already.
  if (over) below_->WakeAgain();
  return {IoState::kOk, bytes};
}

int TlsStream::BioRead(char* into, int size) {
  if (dry_ || flooded()) return -1;
  const auto room = static_cast<size_t>(size);
  const IoResult result = below_->Read({reinterpret_cast<uint8_t*>(into), room});
  switch (result.state) {
    case IoState::kOk:
      dry_ = result.bytes < room;
      silent_bytes_ += result.bytes;
      return static_cast<int>(result.bytes);
    case IoState::kBlocked:
      dry_ = true;
      return -1;
    case IoState::kEof:
      below_ended_ = true;
      return 0;
    case IoState::kFailed:
      return -1;
  }
  return -1;
}

// ---- writing ----

IoResult TlsStream::Write(absl::Span<const absl::Span<const uint8_t>> pieces) {
  if (state_ == State::kOpen) FlushKept();
  if (state_ == State::kFailed) return {IoState::kFailed};
  if (state_ == State::kHandshake || !kept_.empty()) return {IoState::kBlocked};
  Batch batch;  // not initialised: only what records fill is read
  size_t taken = std::exchange(unreported_, false) ? 1 : 0;
  Plaintext plain(pieces, taken);
  batch_ = &batch;
  while (!plain.empty() && kept_.empty() && state_ == State::kOpen) {
    const absl::Span<const uint8_t> record = plain.Next(absl::MakeSpan(batch.scratch));
    if (!Encrypt(record, batch, taken)) break;
    plain.Consume(record.size());
    if (batch.full()) SendBatch(batch);
  }
  SendBatch(batch);
  batch_ = nullptr;
  if (state_ == State::kFailed) return {IoState::kFailed};
  if (!kept_.empty() && taken > 0) {
    unreported_ = true;
    --taken;
  }
  return {taken == 0 && !plain.empty() ? IoState::kBlocked : IoState::kOk, taken};
}

bool TlsStream::Encrypt(absl::Span<const uint8_t> plain, Batch& batch, size_t& taken) {
  ERR_clear_error();
  size_t count = 0;
  if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count) == 1) {
    taken += count;
    return true;
  }
  const int error = SSL_get_error(ssl_.get(), 0);
  if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) FailWith(error);
  return false;
}

void TlsStream::SendBatch(Batch& batch) {
  const size_t size = std::exchange(batch.size, 0);
  if (size == 0 || state_ != State::kOpen) return;
  const absl::Span<const uint8_t> all(batch.bytes.data(), size);
  const IoResult result = below_->Write({all});
  if (result.state == IoState::kFailed) return Fail(TlsFailure::kTruncated, below_->error());
  if (result.bytes < size) {
    kept_.assign(all.begin() + static_cast<ptrdiff_t>(result.bytes), all.end());
  }
}

// Nothing when nothing was kept.
void TlsStream::FlushKept() {
  if (kept_.empty()) return;
  const absl::Span<const uint8_t> all(reinterpret_cast<const uint8_t*>(kept_.data()), kept_.size());
  const IoResult result = below_->Write({all});
  if (result.state == IoState::kFailed) {
    kept_.clear();
    return Fail(TlsFailure::kTruncated, below_->error());
  }
  kept_.erase(0, result.bytes);
  if (kept_.empty()) kept_.shrink_to_fit();
}

// 0: not now.
int TlsStream::BioWrite(const char* from, int size) {
  const auto wanted = static_cast<size_t>(size);
  const auto* bytes = reinterpret_cast<const uint8_t*>(from);
  if (batch_ != nullptr) {
    const size_t count = std::min(wanted, batch_->bytes.size() - batch_->size);
    std::copy_n(bytes, count, batch_->bytes.data() + batch_->size);
    batch_->size += count;
    return static_cast<int>(count);
  }
  if (!kept_.empty()) return 0;
  const IoResult result = below_->Write({absl::Span<const uint8_t>(bytes, wanted)});
  if (result.state == IoState::kFailed) return -1;
  return static_cast<int>(result.bytes);
}

void TlsStream::FinishSending() {
  if (state_ == State::kOpen && !std::exchange(finished_, true) && kept_.empty()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  below_->FinishSending();
}

}  // namespace pinion::net
