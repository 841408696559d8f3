// routing.v1.Address as base/address.h judges and writes it. Pure.
#pragma once

#include <string>

#include "base/address.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::model {

// An address that is not set has neither host nor path.
AddressParts PartsOf(const routing::v1::Address& address);

// "127.0.0.1:9001", "[::1]:9001", "name:9001", "unix:/path".
std::string AddressText(const routing::v1::Address& address);

}  // namespace pinion::model
