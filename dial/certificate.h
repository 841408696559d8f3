// A server's certificate, looked at for people: until when it is good, and why a client would not
// take it. Pure but for the file of the CA; any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace pinion::dial {

// When the first certificate of a PEM text stops being valid. InvalidArgument: there is none.
absl::StatusOr<absl::Time> ExpiryOf(const std::string& pem);

// Empty, or why a client that trusts the CAs in the file `trusted_ca` (empty: those that the system
// trusts) does not take this PEM chain, the server's own certificate first, from a server that it
// calls `name`, a DNS name or an IP address. InvalidArgument: the chain or the file cannot be read.
absl::StatusOr<std::string> WhyNotTrusted(const std::string& pem_chain,
                                          const std::string& trusted_ca, const std::string& name,
                                          absl::Time now);

}  // namespace pinion::dial
