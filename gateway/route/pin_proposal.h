// A pin that a call under `pin_on_first_call` asks for: the version that it was routed to, exactly.
// A value; crosses from a worker to the watcher.
#pragma once

#include <string>

namespace pinion::route {

struct PinProposal {
  std::string consumer;
  std::string service;
  std::string version;

  friend bool operator==(const PinProposal&, const PinProposal&) = default;
};

}  // namespace pinion::route
