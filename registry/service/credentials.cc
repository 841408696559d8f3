#include "registry/service/credentials.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "auth/jwt.h"
#include "auth/tls_peer.h"
#include "base/sha256.h"
#include "base/status_macros.h"
#include "registry/access/subject.h"
#include "registry/access/token.h"
#include "registry/model/errors.h"

namespace pinion::service {
namespace {

constexpr char kScheme[] = "bearer ";

// What neither the audit log nor a terminal could show is nobody's name. Of an actor that is a bad
// credential; of the others nothing can be granted to it.
absl::Status CheckActor(const Bearer& bearer) {
  const absl::Status status = access::ValidateSubject(bearer.subjects.front());
  if (status.ok()) return status;
  return BadCredential(kCredentialInvalid,
                       absl::StrCat("the credential names nobody: ", status.message()));
}

}  // namespace

absl::Status BadCredential(absl::string_view reason, absl::string_view message) {
  return model::Refusal(absl::StatusCode::kUnauthenticated, reason, message);
}

absl::StatusOr<std::unique_ptr<CredentialReader>> CredentialReader::Start(
    std::vector<auth::IssuerOptions> issuers, const Clock& clock) {
  std::unique_ptr<auth::KeySource> keys;
  if (!issuers.empty()) {
    ASSIGN_OR_RETURN(keys, auth::KeySource::Start(std::move(issuers), clock, auth::FetchByCurl,
                                                  [](std::shared_ptr<const auth::Issuers>) {}));
    keys->RunFromNowOn();
  }
  return std::unique_ptr<CredentialReader>(new CredentialReader(std::move(keys), clock));
}

absl::StatusOr<Bearer> CredentialReader::Read(const ShownCredentials& shown) {
  if (shown.authorization.size() > 1) {
    return BadCredential(kCredentialInvalid, "more than one token was sent; send one");
  }
  if (!shown.authorization.empty()) {
    absl::string_view token = shown.authorization.front();
    if (!absl::StartsWithIgnoreCase(token, kScheme)) {
      return BadCredential(kCredentialInvalid,
                           "the metadata `authorization` is not \"Bearer TOKEN\"");
    }
    token.remove_prefix(absl::string_view(kScheme).size());
    if (!absl::StartsWith(token, access::kTokenPrefix)) return ReadJwt(token);
    return Bearer{.token_sha256 = Sha256Hex(std::string(token))};
  }
  if (!shown.certificate.empty()) return ReadCertificate(shown.certificate);
  if (shown.local) return Bearer{.subjects = {access::kLocalSubject}};
  return BadCredential(kCredentialRequired,
                       "this registry wants to know who calls: send a token (PINION_TOKEN, or "
                       "--token-file) or a client certificate (--tls-cert and --tls-key)");
}

void CredentialReader::ReloadKeys() {
  if (keys_ != nullptr) keys_->ReloadSoon();
}

absl::StatusOr<Bearer> CredentialReader::ReadJwt(absl::string_view token) {
  if (keys_ == nullptr) {
    return BadCredential(kCredentialInvalid,
                         "the token is none of this registry's, and the registry trusts no issuer "
                         "of others (registry.access.jwt_issuers)");
  }
  const auth::TokenVerdict verdict = auth::VerifyToken(token, *keys_->current(), clock_.Wall());
  if (verdict.kind == auth::TokenVerdict::Kind::kUnknownKey) keys_->OnUnknownKey();
  if (verdict.kind != auth::TokenVerdict::Kind::kGood) {
    return BadCredential(kCredentialInvalid, verdict.problem);
  }
  Bearer bearer{.subjects = {access::JwtSubject(verdict.issuer, verdict.subject)},
                .expire_time = verdict.until};
  RETURN_IF_ERROR(CheckActor(bearer));
  for (const std::string& group : verdict.groups) {
    std::string subject = access::GroupSubject(verdict.issuer, group);
    if (access::ValidateSubject(subject).ok()) bearer.subjects.push_back(std::move(subject));
  }
  return bearer;
}

absl::StatusOr<Bearer> CredentialReader::ReadCertificate(const std::string& pem) const {
  const absl::StatusOr<auth::PeerCertificate> certificate = auth::ReadPeerCertificate(pem);
  if (!certificate.ok()) {
    return BadCredential(kCredentialInvalid, certificate.status().message());
  }
  // The handshake saw to that, but a connection may outlive its certificate.
  if (certificate->not_after <= clock_.Wall()) {
    return BadCredential(kCredentialInvalid,
                         absl::StrCat("the client certificate expired at ",
                                      absl::FormatTime(absl::RFC3339_sec, certificate->not_after,
                                                       absl::UTCTimeZone()),
                                      "; connect with a newer one"));
  }
  Bearer bearer{.expire_time = certificate->not_after};
  if (!certificate->names.spiffe_id.empty()) {
    bearer.subjects.push_back(certificate->names.spiffe_id);
  } else {
    for (const std::string& name : certificate->names.dns_names) {
      bearer.subjects.push_back(access::DnsSubject(name));
    }
  }
  if (bearer.subjects.empty()) {
    return BadCredential(kCredentialInvalid,
                         "the client certificate names nobody: it has neither a SPIFFE URI nor a "
                         "DNS name as subject alternative name");
  }
  RETURN_IF_ERROR(CheckActor(bearer));
  return bearer;
}

}  // namespace pinion::service
