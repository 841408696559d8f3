// PEM files of certificates and keys: what they must hold, said to whoever wrote the configuration.
// Reads files, keeps none open; any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace pinion::net {

// A chain, the server's or client's own certificate first, and the key of that one.
struct TlsCertificateFiles {
  std::string certificate_chain;
  std::string private_key;
};

// NotFound, PermissionDenied: the file cannot be read. InvalidArgument: it does not hold what it
// should. Each message names the file and what to do.
absl::Status CheckCertificates(const std::string& path);
// Also when the key does not belong to the chain's first certificate; an unreadable chain is not
// complained about here.
absl::Status CheckPrivateKey(const TlsCertificateFiles& files);

// When the first certificate of the chain stops being valid; as CheckCertificates().
absl::StatusOr<absl::Time> CertificateExpiry(const std::string& chain_path);

// Empty, or why peers will refuse the certificate although it loads: "server.pem: the certificate
// has expired on …".
std::string CertificateWarning(const std::string& chain_path, absl::Time now);

}  // namespace pinion::net
