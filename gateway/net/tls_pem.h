// Certificates and keys as OpenSSL's objects, from PEM files. Private to gateway/net; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/net/openssl_ptr.h"
#include "gateway/net/tls_files.h"

namespace pinion::net {

struct TlsCertificate {
  std::vector<X509Ptr> chain;  // the peer's own first; never empty
  EvpPkeyPtr key;              // of chain[0]
};

// Errors as in tls_files.h.
absl::StatusOr<std::vector<X509Ptr>> ReadCertificates(const std::string& path);
absl::StatusOr<TlsCertificate> ReadCertificate(const TlsCertificateFiles& files);

absl::Time NotAfter(const X509& certificate);

// What OpenSSL last complained about on this thread, taken out of its queue: "no start line".
std::string TakeOpenSslError();

}  // namespace pinion::net
