// The certificate that a registry shows, whether or not it is to be believed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dial/credentials.h"

namespace pinion::dial {

// Begins a TLS handshake with `address` and ends it once the server has shown its certificate: the
// PEM chain, the server's own first. Nothing is asked, and no token is sent. Unavailable: the
// server shows none within `patience`. Blocks.
absl::StatusOr<std::string> ShownCertificate(const std::string& address,
                                             const Credentials& credentials,
                                             absl::Duration patience);

}  // namespace pinion::dial
