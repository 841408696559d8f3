// The keys that seal session tickets (RFC 5077, RFC 8446 §4.6.1), so that a client resumes on
// whichever worker it meets. Immutable: the one ring of a process is made by whoever makes its
// TlsContexts and shared by all of them; a rotation makes the next ring and new contexts with it,
// so that workers share nothing that changes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"

namespace pinion::net {

struct TlsTicketKey {
  std::array<uint8_t, 16> name;  // in the clear at the beginning of each ticket
  std::array<uint8_t, 32> cipher;
  std::array<uint8_t, 32> mac;
};

class TlsTicketKeys {
 public:
  // One new random key.
  TlsTicketKeys();
  ~TlsTicketKeys();
  TlsTicketKeys(const TlsTicketKeys&) = delete;
  TlsTicketKeys& operator=(const TlsTicketKeys&) = delete;

  // A ring with a new key in front; of the old ones limits::kTlsTicketKeysKept are still
  // understood.
  std::shared_ptr<const TlsTicketKeys> Rotated() const;

  // The first seals new tickets.
  absl::Span<const TlsTicketKey> keys() const { return keys_; }

 private:
  std::vector<TlsTicketKey> keys_;
};

}  // namespace pinion::net
