// What the TLS connections of one worker share: how much of a turn handshakes may take, and the
// counts of what became of them. Outlives the connections; the worker's thread, counts readable
// from any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "base/counter.h"
#include "gateway/net/event_loop.h"

namespace pinion::net {

// Why a handshake, or later the connection, failed.
enum class TlsFailure : uint8_t {
  kNotTls,       // what the peer sends is no TLS
  kAlpn,         // HTTP/2 was not offered, or not chosen
  kVersion,      // no version of TLS in common
  kCipher,       // no cipher, group or signature in common
  kCertificate,  // missing, not trusted, expired, or for another name
  kRefused,      // the peer ended it with an alert
  kClosed,       // the connection ended in the handshake
  kTruncated,    // the connection ended without a close_notify
  kProtocol,     // anything else
};
inline constexpr size_t kTlsFailures = static_cast<size_t>(TlsFailure::kProtocol) + 1;

// The label of its metric, e.g. "not_tls".
absl::string_view TlsFailureName(TlsFailure failure);

// Of the connections from callers, or of those to instances.
struct TlsStats {
  Counter handshakes;  // that succeeded
  Counter resumed;     // of them, with the session of an earlier connection
  std::array<Counter, kTlsFailures> failures;
};

class TlsShared final : private TurnTask {
 public:
  explicit TlsShared(EventLoop& loop) : loop_(loop) {}

  // True: this turn has time for a step of a handshake, which is now taken. False: ask in the next
  // turn.
  bool TakeHandshakeTurn();

  TlsStats& stats(bool server) { return server ? downstream : upstream; }

  TlsStats downstream;
  TlsStats upstream;

 private:
  void RunAtEndOfTurn() override { taken_ = 0; }

  EventLoop& loop_;
  int taken_ = 0;  // in this turn
};

}  // namespace pinion::net
