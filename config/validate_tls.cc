// TLS: what may be set together, and that the files hold what they should.
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "config/validate.h"
#include "gateway/net/tls_files.h"

namespace pinion::config {
namespace {

net::TlsCertificateFiles FilesOf(const v1::TlsCertificate& certificate) {
  return {certificate.certificate_chain(), certificate.private_key()};
}

class TlsValidator {
 public:
  explicit TlsValidator(Reporter report) : report_(report) {}

  void CheckListener(const v1::DownstreamTls& tls, const std::string& path) {
    if (tls.tls_certificates().empty()) {
      report_.AtValue(path,
                      "a TLS listener needs tls_certificates: a certificate_chain and its "
                      "private_key");
    }
    for (int i = 0; i < tls.tls_certificates_size(); ++i) {
      CheckCertificate(tls.tls_certificates(i), absl::StrCat(path, ".tls_certificates[", i, "]"));
    }
    CheckTrustedCa(tls.trusted_ca(), path);
    if (tls.require_client_certificate() && tls.trusted_ca().empty()) {
      report_.AtValue(absl::StrCat(path, ".require_client_certificate"),
                      "needs trusted_ca, by which clients' certificates are checked");
    }
  }

  void CheckUpstream(const v1::UpstreamTls& tls, const std::string& path) {
    if (tls.services().empty()) Claim("", path);
    for (int i = 0; i < tls.services_size(); ++i) {
      Claim(tls.services(i), absl::StrCat(path, ".services[", i, "]"));
    }
    CheckClient(tls, path);
  }

  // Of whoever connects.
  template <typename ClientTls>
  void CheckClient(const ClientTls& tls, const std::string& path) {
    if (tls.has_tls_certificate()) {
      CheckCertificate(tls.tls_certificate(), absl::StrCat(path, ".tls_certificate"));
    }
    CheckTrustedCa(tls.trusted_ca(), path);
  }

  void CheckClient(const v1::RegistryClient::Tls& tls, const std::string& path) {
    if (tls.has_tls_certificate()) {
      CheckCertificate(tls.tls_certificate(), absl::StrCat(path, ".tls_certificate"));
    }
    CheckTrustedCa(tls.trusted_ca(), path);
  }

 private:
  void CheckCertificate(const v1::TlsCertificate& certificate, const std::string& path) {
    if (certificate.certificate_chain().empty() || certificate.private_key().empty()) {
      report_.AtValue(path, "certificate_chain and private_key go together; one is missing");
      return;
    }
    report_.Check(absl::StrCat(path, ".certificate_chain"),
                  net::CheckCertificates(certificate.certificate_chain()));
    report_.Check(absl::StrCat(path, ".private_key"), net::CheckPrivateKey(FilesOf(certificate)));
  }

  void CheckTrustedCa(const std::string& file, const std::string& path) {
    if (!file.empty())
      report_.Check(absl::StrCat(path, ".trusted_ca"), net::CheckCertificates(file));
  }

  void Claim(const std::string& service, const std::string& path) {
    if (claimed_.emplace(service, path).second) return;
    report_.AtValue(path, service.empty()
                              ? "a second entry without services; name them in one of the two"
                              : absl::StrCat("service \"", service, "\" is in another entry"));
  }

  Reporter report_;
  absl::flat_hash_map<std::string, std::string> claimed_;  // service → path
};

}  // namespace

void ValidateTls(const v1::Bootstrap& bootstrap, Reporter report) {
  TlsValidator validator(report);
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    if (!bootstrap.listeners(i).has_tls()) continue;
    validator.CheckListener(bootstrap.listeners(i).tls(), absl::StrCat("listeners[", i, "].tls"));
  }
  for (int i = 0; i < bootstrap.gateway().upstream_tls_size(); ++i) {
    validator.CheckUpstream(bootstrap.gateway().upstream_tls(i),
                            absl::StrCat("gateway.upstream_tls[", i, "]"));
  }
  TlsValidator checks(report);
  const v1::InstanceChecks& instance_checks = bootstrap.registry().instance_checks();
  for (int i = 0; i < instance_checks.upstream_tls_size(); ++i) {
    checks.CheckUpstream(instance_checks.upstream_tls(i),
                         absl::StrCat("registry.instance_checks.upstream_tls[", i, "]"));
  }
  const v1::Registry& registry = bootstrap.registry();
  if (registry.store().has_etcd()) {
    validator.CheckClient(registry.store().etcd().tls(), "registry.store.etcd.tls");
  }
  if (registry.has_tls()) validator.CheckListener(registry.tls(), "registry.tls");
  if (registry.client().has_tls()) {
    validator.CheckClient(registry.client().tls(), "registry.client.tls");
  }
}

std::vector<std::string> TlsWarnings(const v1::Bootstrap& bootstrap, absl::Time now) {
  std::vector<std::string> warnings;
  const auto look = [&](const v1::TlsCertificate& certificate) {
    std::string warning = net::CertificateWarning(certificate.certificate_chain(), now);
    if (!warning.empty()) warnings.push_back(std::move(warning));
  };
  for (const v1::Listener& listener : bootstrap.listeners()) {
    for (const v1::TlsCertificate& each : listener.tls().tls_certificates()) look(each);
  }
  for (const v1::UpstreamTls& tls : bootstrap.gateway().upstream_tls()) {
    if (tls.has_tls_certificate()) look(tls.tls_certificate());
  }
  for (const v1::UpstreamTls& tls : bootstrap.registry().instance_checks().upstream_tls()) {
    if (tls.has_tls_certificate()) look(tls.tls_certificate());
  }
  const v1::Store& store = bootstrap.registry().store();
  if (store.has_etcd() && store.etcd().tls().has_tls_certificate()) {
    look(store.etcd().tls().tls_certificate());
  }
  const v1::Registry& registry = bootstrap.registry();
  for (const v1::TlsCertificate& each : registry.tls().tls_certificates()) look(each);
  if (registry.client().tls().has_tls_certificate())
    look(registry.client().tls().tls_certificate());
  return warnings;
}

}  // namespace pinion::config
