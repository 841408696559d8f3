// A connected, ordered, non-blocking stream of bytes: a socket in production, memory in tests and
// simulation. Belongs to one event loop and is used on its thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace pinion::auth {
struct TlsPeer;
}  // namespace pinion::auth

namespace pinion::net {

enum class IoState : uint8_t {
  kOk,       // bytes were moved; fewer than asked means that the next attempt would block
  kBlocked,  // nothing was moved; the observer hears when it is worth trying again
  kEof,      // the peer ended its side (reads only)
  kFailed,   // the connection is broken, or could never be made; error() says why
};

struct IoResult {
  IoState state;
  size_t bytes = 0;
};

class ByteStream {
 public:
  // Hears edges, not levels: after OnReadable() read until less than the buffer was filled, or call
  // WakeAgain(). A stream still connecting reports its outcome by OnWritable(); when it failed,
  // reads and writes give kFailed.
  class Observer {
   public:
    virtual void OnReadable() = 0;
    // Does not destroy the stream: an OnReadable() of the same edge may follow.
    virtual void OnWritable() = 0;

   protected:
    ~Observer() = default;
  };

  // Closes. The peer sees the end of the stream, or a reset when unread bytes were left.
  virtual ~ByteStream() = default;

  // Until set, edges wait; then the pending ones are delivered in the next turn. The observer
  // outlives the stream or is replaced.
  virtual void SetObserver(Observer* observer) = 0;

  virtual IoResult Read(absl::Span<uint8_t> into) = 0;

  // Writes a prefix of the concatenated pieces (at most kWritePiecesMax of them are looked at).
  // What follows on the next write begins where that prefix ended: a byte that was offered and not
  // taken is offered again, unchanged.
  virtual IoResult Write(absl::Span<const absl::Span<const uint8_t>> pieces) = 0;

  // Delivers OnReadable() again in the next turn: for an observer that stopped in order to be fair
  // to others.
  virtual void WakeAgain() = 0;

  // Ends the sending side after what was written: the peer reads everything and then the end.
  virtual void FinishSending() = 0;

  // "connection refused"; empty unless something failed.
  virtual std::string error() const = 0;

  // Smoothed, as the kernel measures it; zero where it cannot be known.
  virtual absl::Duration RoundTrip() const { return absl::ZeroDuration(); }

  // The other end, for logs and trust decisions: "127.0.0.1:4711" or "unix:".
  virtual const std::string& peer() const = 0;

  // Whom the other end's certificate names, once its handshake is over; null: nobody. Lives as long
  // as the stream.
  virtual const auth::TlsPeer* tls_peer() const { return nullptr; }
};

inline constexpr size_t kWritePiecesMax = 64;

}  // namespace pinion::net
