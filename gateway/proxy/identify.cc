#include "gateway/proxy/identify.h"

#include "absl/strings/str_cat.h"
#include "gateway/proxy/downstream.h"

namespace pinion::proxy {

using route::IdentityKind;

void CertificateIdentity::Read(const net::TlsPeer& peer) {
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

std::optional<std::string> Identify(const RequestHead& head, Downstream& downstream,
                                    const route::RouteTable& table, Caller& caller) {
  caller = Caller();
  if (downstream.certificate().Find(table, caller)) return std::nullopt;
  if (!head.identity.has_value() || !downstream.trusted()) return std::nullopt;
  if (head.identity_repeated) {
    return absl::StrCat("the header ", downstream.listener().identity_header,
                        " names more than one consumer; send it once");
  }
  caller.consumer = table.FindConsumerByHeader(*head.identity);
  if (caller.consumer.has_value()) caller.identity = *head.identity;
  return std::nullopt;
}

}  // namespace pinion::proxy
