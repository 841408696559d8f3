// The form of a chain's pins in metadata. Any thread.
#pragma once

#include <string>

#include "pinion/client/chain.h"

namespace pinion::client {

// Of the metadata that pins of a chain travel in.
std::string ChainHeader(const std::string& header);

// `text` as metadata can hold it, with `?` for the rest: whoever reads it then refuses it as
// malformed, where gRPC would end the program.
std::string Sendable(std::string text);

// Empty, or what is malformed. Adds to `pins`.
std::string ParseChainPins(const std::string& text, ChainPins& pins);
std::string FormatChainPins(const ChainPins& pins);

}  // namespace pinion::client
