// What a decoded configuration must hold beyond its types: references, uniqueness, ranges. Reads
// the files that it names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "config/errors.h"
#include "config/source_map.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::config {

// Puts errors at the places that paths stand for.
class Reporter {
 public:
  Reporter(const SourceMap& source, ErrorList& errors) : source_(source), errors_(errors) {}

  void AtValue(std::string_view path, std::string message) {
    errors_.Add(source_.Value(path), std::move(message));
  }
  void AtKey(std::string_view path, std::string message) {
    errors_.Add(source_.Key(path), std::move(message));
  }
  // Adds the message of a status that is not OK, and returns whether it is.
  bool Check(std::string_view path, const absl::Status& status) {
    if (!status.ok()) AtValue(path, std::string(status.message()));
    return status.ok();
  }
  bool CheckKey(std::string_view path, const absl::Status& status) {
    if (!status.ok()) AtKey(path, std::string(status.message()));
    return status.ok();
  }

 private:
  const SourceMap& source_;
  ErrorList& errors_;
};

// REQUIRES: decoded without errors, relative paths resolved.
void Validate(const v1::Bootstrap& bootstrap, Reporter report);

// The parts of it that concern static_resources, callers' credentials, the registry's etcd (but its
// TLS), TLS, with their files, and who comes to the registry.
void ValidateStaticResources(const v1::StaticResources& resources, Reporter report);
void ValidateAuth(const v1::Bootstrap& bootstrap, Reporter report);
void ValidateEtcd(const v1::Store::Etcd& etcd, Reporter report);
void ValidateTls(const v1::Bootstrap& bootstrap, Reporter report);
void ValidateRegistryAccess(const v1::Registry& registry, Reporter report);

// What works and will not please, as whole sentences: a certificate that has expired at `now`.
// Reads the files again. REQUIRES: valid.
std::vector<std::string> TlsWarnings(const v1::Bootstrap& bootstrap, absl::Time now);

}  // namespace pinion::config
