// How a worker treats callers. Defaults and their reasons: gateway/limits.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "gateway/http2/options.h"
#include "gateway/limits.h"
#include "gateway/net/cidr.h"
#include "gateway/route/pin_proposal.h"
#include "gateway/upstream/options.h"

namespace pinion::proxy {

// One listener's rules for the connections that it accepts. Outlives them.
struct ListenerOptions {
  std::string name;
  bool any_http2 = false;  // forward requests of any content type
  // The header in which trusted peers name the caller; none when empty. Lower case.
  std::string identity_header;
  std::vector<net::Cidr> trusted_peers;
  bool consumer_required = false;
  // The header with an API key; none when empty. Lower case.
  std::string api_key_header;
  bool forward_api_key = false;  // it goes on to the instance
  bool jwt = false;              // a bearer token in `authorization` names the caller
  bool forward_jwt = false;      // and goes on to the instance
  http2::Options http2;
};

// Takes the pins that calls ask for, without blocking. Called on the thread of the worker.
using PinProposalSink = std::function<void(std::vector<route::PinProposal>)>;

struct Options {
  std::string version_header = "api-version";  // lower case
  std::optional<absl::Duration> max_deadline;
  absl::Duration idle_timeout = limits::kIdleTimeout;
  // Of a caller's connection, ±10 %, and how long its calls may then go on (gRFC A9).
  absl::Duration connection_age_max = absl::InfiniteDuration();
  absl::Duration connection_age_grace = absl::InfiniteDuration();
  upstream::Options upstream;
  const Clock* clock = nullptr;       // for tokens' times; not null where a listener takes them
  std::function<void()> unknown_key;  // hears of tokens that no known key has signed; any thread
  PinProposalSink propose_pins;       // null: nowhere
  bool count_usage = false;           // for Proxy::TakeUsage()
  uint64_t seed = 0;                  // of the choices among instances
  // Of trace ids: another one for each worker that ever runs, or calls share ids that must differ.
  uint64_t trace_seed = 0;
};

}  // namespace pinion::proxy
