#include "auth/issuer_config.h"

#include "auth/limits.h"
#include "base/proto_duration.h"

namespace pinion::auth {

IssuerOptions IssuerOptionsOf(const config::v1::JwtIssuer& config) {
  return {.name = config.issuer(),
          .audiences = {config.audiences().begin(), config.audiences().end()},
          .file = config.jwks_file(),
          .url = config.jwks_url(),
          .trusted_ca = config.trusted_ca(),
          .refresh = config.has_refresh() ? FromProto(config.refresh()) : limits::kJwksRefresh,
          .leeway = config.has_leeway() ? FromProto(config.leeway()) : limits::kJwtLeeway};
}

}  // namespace pinion::auth
