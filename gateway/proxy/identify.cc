#include "gateway/proxy/identify.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "base/sha256.h"
#include "gateway/proxy/downstream.h"
#include "gateway/proxy/token_cache.h"

namespace pinion::proxy {

using route::IdentityKind;

void CertificateIdentity::Read(const auth::TlsPeer& peer) {
  if (!peer.spiffe_id.empty()) names_.emplace_back(IdentityKind::kSpiffe, peer.spiffe_id);
  for (const std::string& name : peer.dns_names) names_.emplace_back(IdentityKind::kDnsSan, name);
}

bool CertificateIdentity::Find(const route::RouteTable& table, Caller& caller) {
  if (names_.empty()) return false;
  if (generation_ != table.generation()) {
    generation_ = table.generation();
    consumer_.reset();
    for (owned_ = 0; owned_ < names_.size(); ++owned_) {
      consumer_ = table.FindConsumer(names_[owned_].first, names_[owned_].second);
      if (consumer_.has_value()) break;
    }
  }
  if (!consumer_.has_value()) return false;
  caller.consumer = consumer_;
  caller.kind = names_[owned_].first;
  caller.identity = names_[owned_].second;
  return true;
}

namespace {

using Kind = auth::TokenVerdict::Kind;
using Problem = std::optional<CredentialProblem>;

bool SameSecret(absl::string_view a, absl::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char different = 0;
  for (size_t i = 0; i < a.size(); ++i) different |= static_cast<unsigned char>(a[i] ^ b[i]);
  return different == 0;
}

}  // namespace

const std::shared_ptr<const std::string>& ApiKeyIdentity::Hash(absl::string_view key) {
  if (sha256_ == nullptr || !SameSecret(key, key_)) {
    key_ = std::string(key);
    sha256_ = std::make_shared<const std::string>(Sha256Hex(key_));
  }
  return sha256_;
}

namespace {

Problem Invalid(std::string message) {
  return CredentialProblem{route::Reason::kCredentialInvalid, std::move(message)};
}

Problem Repeated(absl::string_view header) {
  return Invalid(absl::StrCat("the header ", header, " came twice; send it once"));
}

void Own(IdentityKind kind, const std::shared_ptr<const std::string>& identity,
         const route::RouteTable& table, Caller& caller) {
  caller.consumer = table.FindConsumer(kind, *identity);
  if (!caller.consumer.has_value()) return;
  caller.kind = kind;
  caller.kept = identity;
  caller.identity = *caller.kept;
}

Problem FindByToken(const RequestHead& head, Downstream& downstream, const route::RouteTable& table,
                    Caller& caller) {
  if (head.authorization_repeated) return Repeated("authorization");
  const std::optional<absl::string_view> token = BearerToken(*head.authorization);
  if (!token.has_value()) return std::nullopt;  // another scheme is not ours
  if (token->empty()) return Invalid("the header authorization has no token after Bearer");
  const TokenCache::Known* known = downstream.CheckToken(*token);
  if (known == nullptr) {
    return CredentialProblem{route::Reason::kRateLimited,
                             "too many tokens that nobody signed came over this connection; "
                             "new ones are not looked at for a moment"};
  }
  if (known->kind == Kind::kNoKeys) {
    return CredentialProblem{route::Reason::kCredentialUnchecked, known->problem};
  }
  if (known->kind != Kind::kGood) return Invalid(known->problem);
  Own(IdentityKind::kJwt, known->identity, table, caller);
  return std::nullopt;
}

Problem FindByApiKey(const RequestHead& head, Downstream& downstream,
                     const route::RouteTable& table, Caller& caller) {
  const std::string& header = downstream.listener().api_key_header;
  if (head.api_key_repeated) return Repeated(header);
  if (head.api_key->empty()) return Invalid(absl::StrCat("the header ", header, " has no key"));
  if (head.api_key->size() > limits::kApiKeyBytesMax) {
    return Invalid(
        absl::StrCat("the key in ", header, " is longer than ", limits::kApiKeyBytesMax, " bytes"));
  }
  Own(IdentityKind::kApiKey, downstream.api_key().Hash(*head.api_key), table, caller);
  if (caller.consumer.has_value()) return std::nullopt;
  return Invalid(absl::StrCat("the key in ", header,
                              " belongs to no consumer; use one that was given out, or none"));
}

}  // namespace

Problem Identify(const RequestHead& head, Downstream& downstream, const route::RouteTable& table,
                 Caller& caller) {
  caller = Caller();
  if (downstream.certificate().Find(table, caller)) return std::nullopt;
  if (head.authorization.has_value()) {
    if (Problem problem = FindByToken(head, downstream, table, caller)) return problem;
    if (caller.consumer.has_value()) return std::nullopt;
  }
  if (head.api_key.has_value()) return FindByApiKey(head, downstream, table, caller);
  if (!head.identity.has_value() || !downstream.trusted()) return std::nullopt;
  if (head.identity_repeated) {
    return Invalid(absl::StrCat("the header ", downstream.listener().identity_header,
                                " names more than one consumer; send it once"));
  }
  caller.consumer = table.FindConsumerByHeader(*head.identity);
  if (caller.consumer.has_value()) caller.identity = *head.identity;
  return std::nullopt;
}

}  // namespace pinion::proxy
