#include "gateway/net/tls_tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"
#include "gateway/tls_limits.h"

namespace pinion::net {
namespace {

TlsTicketKey Draw() {
  TlsTicketKey key;
  // Fails only where the machine has no entropy at all; nothing would be safe then.
  CHECK(RAND_bytes(key.name.data(), key.name.size()) == 1);
  CHECK(RAND_bytes(key.cipher.data(), key.cipher.size()) == 1);
  CHECK(RAND_bytes(key.mac.data(), key.mac.size()) == 1);
  return key;
}

}  // namespace

TlsTicketKeys::TlsTicketKeys() : keys_{Draw()} {}

TlsTicketKeys::~TlsTicketKeys() {
  OPENSSL_cleanse(keys_.data(), keys_.size() * sizeof(TlsTicketKey));
}

std::shared_ptr<const TlsTicketKeys> TlsTicketKeys::Rotated() const {
  auto next = std::make_shared<TlsTicketKeys>();
  const size_t kept = std::min(keys_.size(), limits::kTlsTicketKeysKept);
  next->keys_.insert(next->keys_.end(), keys_.begin(), keys_.begin() + kept);
  return next;
}

}  // namespace pinion::net
