// Public keys that sign tokens, from a JWK Set (RFC 7517) or PEM. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;

namespace pinion::auth {

// RFC 7518 §3.1. Symmetric ones are not among them, so that no public key is ever taken for a
// secret (CVE-2015-9235).
enum class JwtAlgorithm : uint8_t { kRs256, kEs256 };

class VerificationKey {
 public:
  // Null: the key is none for an algorithm above: RSA of 2048 bits or more, or EC on P-256.
  static std::unique_ptr<const VerificationKey> Make(evp_pkey_st& key, std::string id);
  ~VerificationKey();
  VerificationKey(const VerificationKey&) = delete;
  VerificationKey& operator=(const VerificationKey&) = delete;

  const std::string& id() const { return id_; }  // "kid"; empty: it has none
  JwtAlgorithm algorithm() const { return algorithm_; }

  // `signature` as in a JWS: for ES256 the two numbers, 32 bytes each (RFC 7518 §3.4).
  bool Signed(absl::string_view data, absl::string_view signature) const;

 private:
  VerificationKey(evp_pkey_st* key, JwtAlgorithm algorithm, std::string id)
      : key_(key), algorithm_(algorithm), id_(std::move(id)) {}

  evp_pkey_st* const key_;
  const JwtAlgorithm algorithm_;
  const std::string id_;
};

using KeySet = std::vector<std::unique_ptr<const VerificationKey>>;

// A JWK Set, or PEM public keys and certificates. Keys for other purposes are passed over; with
// none for ours: InvalidArgument, as whole sentences without the name of their source.
absl::StatusOr<std::shared_ptr<const KeySet>> ParseKeySet(const std::string& text);

// base64url without padding (RFC 7515 §2); false for anything else, also for a text that is another
// way to write the same bytes (RFC 4648 §3.5).
bool DecodeBase64Url(absl::string_view text, std::string& bytes);

}  // namespace pinion::auth
