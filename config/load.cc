#include "config/load.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/counted.h"
#include "base/read_file.h"
#include "config/decode.h"
#include "config/errors.h"
#include "config/validate.h"
#include "config/yaml_tree.h"

namespace pinion::config {
namespace {

// One rule for every path in the file: it begins at the file's own directory, wherever the program
// was started.
class PathResolver {
 public:
  explicit PathResolver(const std::string& filename)
      : directory_(std::filesystem::path(filename).parent_path()) {}

  void Resolve(v1::Bootstrap& bootstrap) const {
    for (v1::Listener& listener : *bootstrap.mutable_listeners()) {
      Address(listener);
      if (listener.has_tls()) Tls(*listener.mutable_tls());
    }
    if (bootstrap.has_admin()) Address(*bootstrap.mutable_admin());
    if (bootstrap.has_gateway()) {
      v1::Gateway& gateway = *bootstrap.mutable_gateway();
      Path(*gateway.mutable_snapshot_dir());
      if (gateway.has_access_log()) Path(*gateway.mutable_access_log()->mutable_path());
      for (v1::UpstreamTls& tls : *gateway.mutable_upstream_tls()) Tls(tls);
      for (v1::JwtIssuer& issuer : *gateway.mutable_jwt_issuers()) Issuer(issuer);
    }
    if (bootstrap.has_registry()) {
      v1::Registry& registry = *bootstrap.mutable_registry();
      Address(registry);
      if (registry.has_instance_checks()) {
        auto& checks = *registry.mutable_instance_checks();
        for (v1::UpstreamTls& tls : *checks.mutable_upstream_tls()) Tls(tls);
      }
      for (routing::v1::Address& replica : *registry.mutable_replicas()) {
        if (replica.has_pipe()) Path(*replica.mutable_pipe()->mutable_path());
      }
      if (registry.store().has_sqlite()) {
        Path(*registry.mutable_store()->mutable_sqlite()->mutable_path());
      }
      if (registry.store().has_etcd()) {
        v1::Store::Etcd& etcd = *registry.mutable_store()->mutable_etcd();
        Path(*etcd.mutable_password_file());
        if (etcd.has_tls()) Tls(*etcd.mutable_tls());
      }
      Access(registry);
    }
    // What the file does not say stays unsaid: a registry's gateway refuses static resources.
    if (!bootstrap.has_static_resources()) return;
    for (auto& service : *bootstrap.mutable_static_resources()->mutable_services()) {
      for (auto& version : *service.mutable_versions()) {
        Path(*version.mutable_descriptor_set_file());
        for (auto& instance : *version.mutable_instances()) Address(instance);
      }
    }
  }

 private:
  template <typename Message>
  void Address(Message& message) const {
    if (message.address().has_pipe())
      Path(*message.mutable_address()->mutable_pipe()->mutable_path());
  }

  void Access(v1::Registry& registry) const {
    Path(*registry.mutable_local_socket());
    if (registry.has_tls()) Tls(*registry.mutable_tls());
    if (registry.has_access()) {
      for (v1::JwtIssuer& issuer : *registry.mutable_access()->mutable_jwt_issuers()) {
        Issuer(issuer);
      }
    }
    if (!registry.has_client()) return;
    Path(*registry.mutable_client()->mutable_token_file());
    if (registry.client().has_tls()) Tls(*registry.mutable_client()->mutable_tls());
  }
  void Issuer(v1::JwtIssuer& issuer) const {
    Path(*issuer.mutable_jwks_file());
    Path(*issuer.mutable_trusted_ca());
  }

  void Tls(v1::DownstreamTls& tls) const {
    Path(*tls.mutable_trusted_ca());
    for (v1::TlsCertificate& certificate : *tls.mutable_tls_certificates()) Tls(certificate);
  }
  // Of whoever connects.
  template <typename ClientTls>
  void Tls(ClientTls& tls) const {
    Path(*tls.mutable_trusted_ca());
    if (tls.has_tls_certificate()) Tls(*tls.mutable_tls_certificate());
  }
  void Tls(v1::TlsCertificate& certificate) const {
    Path(*certificate.mutable_certificate_chain());
    Path(*certificate.mutable_private_key());
  }

  void Path(std::string& path) const {
    if (!path.empty()) path = (directory_ / path).lexically_normal().native();
  }

  std::filesystem::path directory_;
};

}  // namespace

absl::StatusOr<Loaded> LoadText(std::string_view text, const std::string& filename) {
  ErrorList errors(filename);
  const NodePtr root = ParseYaml(text, errors);
  if (root == nullptr) return errors.ToStatus();
  Loaded loaded;
  loaded.filename = filename;
  DecodeMessage(*root, loaded.bootstrap, loaded.source, errors);
  // What is missing because it was mistyped would only be reported a second time.
  if (!errors.empty()) return errors.ToStatus();
  PathResolver(filename).Resolve(loaded.bootstrap);
  Validate(loaded.bootstrap, Reporter(loaded.source, errors));
  if (!errors.empty()) return errors.ToStatus();
  return loaded;
}

absl::StatusOr<Loaded> LoadFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxYamlBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", text.status().message()));
  }
  return LoadText(*text, path);
}

std::string Summary(const Loaded& loaded) {
  const v1::StaticResources& resources = loaded.bootstrap.static_resources();
  int versions = 0;
  for (const v1::StaticService& service : resources.services()) versions += service.versions_size();
  return absl::StrCat(
      loaded.filename, ": ok (", Counted(loaded.bootstrap.listeners_size(), "listener"), ", ",
      Counted(resources.services_size(), "service"), ", ", Counted(versions, "version"), ", ",
      Counted(resources.consumers_size(), "consumer"), ")");
}

}  // namespace pinion::config
