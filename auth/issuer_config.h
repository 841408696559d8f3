// Issuers of tokens as the configuration writes them.
#pragma once

#include "auth/key_source.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::auth {

// REQUIRES: `config` is valid.
IssuerOptions IssuerOptionsOf(const config::v1::JwtIssuer& config);

}  // namespace pinion::auth
