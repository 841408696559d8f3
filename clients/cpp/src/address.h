// Where gateways reach a server. Any thread.
#pragma once

#include <string>

#include "pinion/routing/v1/routing.pb.h"

namespace pinion::client {

// HOST:PORT or unix:PATH. Empty, or what is wrong with it.
std::string ParseAddress(const std::string& text, routing::v1::Address& address);

}  // namespace pinion::client
