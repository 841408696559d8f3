// Who calls: which of a call's credentials counts, and which consumer owns it. The worker's thread.
//
// In this order, the first that a consumer owns: the client certificate (its SPIFFE ID, then its
// DNS names), a token, an API key, then the trusted header of a trusted peer. What nobody owns says
// nothing; a credential that cannot be right ends the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "auth/tls_peer.h"
#include "gateway/proxy/request.h"
#include "gateway/route/refusal.h"
#include "gateway/route/route_table.h"

namespace pinion::proxy {

class Downstream;

struct Caller {
  std::optional<route::Consumer> consumer;  // of the table that was asked; null: unregistered
  // What found the consumer; empty without one. Lives as long as the call's headers and connection.
  route::IdentityKind kind = route::IdentityKind::kHeader;
  absl::string_view identity;
  std::shared_ptr<const std::string> kept;  // what `identity` points into, where that may go

  // In another table.
  std::optional<route::Consumer> FindIn(const route::RouteTable& table) const {
    if (identity.empty()) return std::nullopt;
    return table.FindConsumer(kind, identity);
  }
  // It was not by its header that the caller was found, so what that says is not passed on.
  bool overrides_header() const {
    return consumer.has_value() && kind != route::IdentityKind::kHeader;
  }
};

// What a connection's certificate says, with the consumer that it led to in the table asked last:
// one lookup a connection and table, not one a call.
class CertificateIdentity {
 public:
  void Read(const auth::TlsPeer& peer);

  // True: `caller` is set.
  bool Find(const route::RouteTable& table, Caller& caller);

 private:
  // In the order in which they count.
  std::vector<std::pair<route::IdentityKind, std::string>> names_;
  uint64_t generation_ = 0;                  // of the table asked last
  size_t owned_ = 0;                         // the one of the names that a consumer owns there
  std::optional<route::Consumer> consumer_;  // a view into that table
};

// The API key that a connection showed last, so that a caller with one key is hashed once. A
// consumer is found by the digest, whose bytes tell nothing of how much of a key was right; keys
// themselves are only compared with the last, which may be another's where a proxy is the peer:
// hence in a time that depends on nothing but their lengths.
class ApiKeyIdentity {
 public:
  // The key's SHA-256 as an identity has it. REQUIRES: at most limits::kApiKeyBytesMax.
  const std::shared_ptr<const std::string>& Hash(absl::string_view key);

 private:
  std::string key_;
  std::shared_ptr<const std::string> sha256_;
};

// What is wrong with a credential, as a sentence for the caller that shows nothing of it.
struct CredentialProblem {
  route::Reason reason = route::Reason::kCredentialInvalid;
  std::string message;
};

// Sets `caller`, or says why not.
std::optional<CredentialProblem> Identify(const RequestHead& head, Downstream& downstream,
                                          const route::RouteTable& table, Caller& caller);

}  // namespace pinion::proxy
