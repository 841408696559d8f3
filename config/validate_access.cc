// Who may come to the registry, and how a gateway comes there: what may be set together. Files are
// checked with those of TLS and tokens.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "config/address.h"
#include "config/validate.h"
#include "registry/access/subject.h"

namespace pinion::config {
namespace {

void CheckReach(const v1::Registry& registry, Reporter report) {
  if (!registry.has_address() || IsLocal(registry.address()) || registry.insecure()) return;
  // One file is for a registry or for a gateway that follows one; each has its way to be safe.
  if ((registry.has_tls() && registry.has_access()) || registry.client().has_tls()) return;
  report.AtValue("registry.address",
                 absl::StrCat(ToString(registry.address()),
                              " can be reached from other machines: set registry.tls and "
                              "registry.access (of a gateway: registry.client.tls), use a Unix "
                              "socket or loopback, or say `insecure: true`"));
}

void CheckServerTls(const v1::Registry& registry, Reporter report) {
  const v1::DownstreamTls& tls = registry.tls();
  if (registry.address().has_pipe()) {
    report.AtValue("registry.tls", "a Unix socket has no TLS: the registry needs a socket_address");
  }
  if (tls.tls_certificates_size() > 1) {
    report.AtValue("registry.tls.tls_certificates[1]", "the registry shows one certificate");
  }
  if (tls.tls_minimum_protocol_version() == v1::TLSv1_3) {
    report.AtValue("registry.tls.tls_minimum_protocol_version",
                   "the registry takes TLS 1.2 and 1.3: leave it out");
  }
}

void CheckAccess(const v1::Access& access, Reporter report) {
  for (int i = 0; i < access.operators_size(); ++i) {
    report.Check(absl::StrCat("registry.access.operators[", i, "]"),
                 access::ValidateSubject(access.operators(i)));
  }
  for (int i = 0; i < access.jwt_issuers_size(); ++i) {
    if (!absl::StrContains(access.jwt_issuers(i).issuer(), '#')) continue;
    report.AtValue(absl::StrCat("registry.access.jwt_issuers[", i, "].issuer"),
                   "has a # in it, which divides issuers from their subjects");
  }
}

void CheckClient(const v1::Registry& registry, Reporter report) {
  const v1::RegistryClient& client = registry.client();
  if (client.token_file().empty() || client.has_tls()) return;
  const auto check = [&report](const routing::v1::Address& address) {
    if (IsLocal(address)) return;
    report.AtValue("registry.client.token_file",
                   absl::StrCat("the token would go to ", ToString(address),
                                " unencrypted: set registry.client.tls"));
  };
  if (registry.has_address()) check(registry.address());
  for (const routing::v1::Address& replica : registry.replicas()) check(replica);
}

}  // namespace

void ValidateRegistryAccess(const v1::Registry& registry, Reporter report) {
  CheckReach(registry, report);
  if (registry.has_tls()) CheckServerTls(registry, report);
  if (registry.has_access()) CheckAccess(registry.access(), report);
  if (registry.has_client()) CheckClient(registry, report);
  if (!registry.local_socket().empty() &&
      registry.local_socket() == registry.address().pipe().path()) {
    report.AtValue("registry.local_socket", "is the registry's address already");
  }
}

}  // namespace pinion::config
