#include "pinion/etcd_options.h"

#include "base/proto_duration.h"
#include "base/status_macros.h"
#include "config/password_file.h"

namespace pinion {

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
    ASSIGN_OR_RETURN(options.password, config::ReadPasswordFile(config.password_file()));
  }
  if (config.has_request_timeout()) options.request_timeout = FromProto(config.request_timeout());
  return options;
}

}  // namespace pinion
