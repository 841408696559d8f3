#include "registry/model/address.h"

namespace pinion::model {

AddressParts PartsOf(const routing::v1::Address& address) {
  if (address.has_pipe()) return {.path = address.pipe().path()};
  return {.host = address.socket_address().address(),
          .port = address.socket_address().port_value()};
}

std::string AddressText(const routing::v1::Address& address) {
  return pinion::AddressText(PartsOf(address));
}

}  // namespace pinion::model
