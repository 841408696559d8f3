// An issuer of tokens for tests: keys made when a test needs them, tokens good and bad.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace pinion::testing {

class TokenIssuer {
 public:
  enum class Kind { kRs256, kEs256 };

  explicit TokenIssuer(Kind kind, std::string key_id = "");
  ~TokenIssuer();
  TokenIssuer(const TokenIssuer&) = delete;
  TokenIssuer& operator=(const TokenIssuer&) = delete;

  // A JWK Set with this one key, or the key as PEM.
  std::string Jwks() const;
  std::string Pem() const;

  // Signed, with the header that belongs to the key.
  std::string Token(const std::string& claims) const;
  // Signed by this key whatever the header says.
  std::string TokenWithHeader(const std::string& header, const std::string& claims) const;

  static std::string Base64Url(absl::string_view bytes);

 private:
  struct State;
  const Kind kind_;
  const std::string key_id_;
  const std::unique_ptr<State> state_;
};

}  // namespace pinion::testing
