#include "pinion/etcd_options.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/proto_duration.h"
#include "base/read_file.h"
#include "base/status_macros.h"

namespace pinion {
namespace {

constexpr size_t kMaxPasswordBytes = 4096;

}  // namespace

absl::StatusOr<store::EtcdOptions> EtcdOptionsOf(const config::v1::Store::Etcd& config) {
  store::EtcdOptions options;
  options.endpoints.assign(config.endpoints().begin(), config.endpoints().end());
  if (!config.prefix().empty()) options.prefix = config.prefix();
  options.use_tls = config.has_tls();
  options.tls = {.ca = config.tls().trusted_ca(),
                 .certificate = config.tls().tls_certificate().certificate_chain(),
                 .key = config.tls().tls_certificate().private_key()};
  options.username = config.username();
  if (!config.password_file().empty()) {
    absl::StatusOr<std::string> text = ReadFile(config.password_file(), kMaxPasswordBytes);
    if (!text.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(config.password_file(), ": ", text.status().message()));
    }
    options.password = std::string(absl::StripTrailingAsciiWhitespace(*text));
  }
  if (config.has_request_timeout()) options.request_timeout = FromProto(config.request_timeout());
  return options;
}

}  // namespace pinion
