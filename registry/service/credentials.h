// What a caller shows of itself, and who that proves it to be. Asks nothing of the store: whether a
// token of this registry is good is in its records. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auth/key_source.h"
#include "base/clock.h"

namespace pinion::service {

// Of one call.
struct ShownCredentials {
  bool local = false;                      // it came by the registry's own Unix socket
  std::string certificate;                 // PEM, by which the handshake was; empty: there was none
  std::vector<std::string> authorization;  // every value of that metadata
};

struct Bearer {
  // As access/subject.h writes them, the actor first; empty: a token of this registry.
  std::vector<std::string> subjects;
  std::string token_sha256;                         // of such a token; else empty
  absl::Time expire_time = absl::InfiniteFuture();  // wall clock
};

// Unauthenticated, with this reason.
inline constexpr char kCredentialRequired[] = "CREDENTIAL_REQUIRED";
inline constexpr char kCredentialInvalid[] = "CREDENTIAL_INVALID";
absl::Status BadCredential(absl::string_view reason, absl::string_view message);

class CredentialReader {
 public:
  // Tokens of `issuers` are good. Their keys are kept up to date on a thread of its own. `clock`
  // outlives the reader. InvalidArgument: a file of keys is not good.
  static absl::StatusOr<std::unique_ptr<CredentialReader>> Start(
      std::vector<auth::IssuerOptions> issuers, const Clock& clock);

  // A token first, since it is shown on purpose, then the certificate, then the socket. Of what is
  // bad nothing else makes up for it. Unauthenticated: BadCredential().
  absl::StatusOr<Bearer> Read(const ShownCredentials& shown);

  // Reads and fetches the issuers' keys again, soon.
  void ReloadKeys();

 private:
  CredentialReader(std::unique_ptr<auth::KeySource> keys, const Clock& clock)
      : keys_(std::move(keys)), clock_(clock) {}

  absl::StatusOr<Bearer> ReadJwt(absl::string_view token);
  absl::StatusOr<Bearer> ReadCertificate(const std::string& pem) const;

  const std::unique_ptr<auth::KeySource> keys_;  // null: there are no issuers
  const Clock& clock_;
};

}  // namespace pinion::service
