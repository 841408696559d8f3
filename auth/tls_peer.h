// Who a TLS peer is, by the names in its certificate. A value; that the certificate is to be
// believed was decided in the handshake.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct x509_st;

namespace pinion::auth {

struct TlsPeer {
  // Subject alternative names, over their full length.
  std::string spiffe_id;               // the URI that begins with spiffe://; empty: there is none
  std::vector<std::string> dns_names;  // in lower case, the first limits::kCertificateNamesMax
};

TlsPeer ReadTlsPeer(const x509_st& certificate);

// False for names that two readers would read differently: with a NUL, behind which some stop
// (CVE-2026-47778), or several SPIFFE IDs, of which some take the first (X509-SVID §5.2).
bool NamesAreClear(const x509_st& certificate);

struct PeerCertificate {
  TlsPeer names;
  absl::Time not_after;
};

// The first certificate of a PEM text. InvalidArgument: it is none, or its names are not clear; a
// sentence for whoever sent it.
absl::StatusOr<PeerCertificate> ReadPeerCertificate(const std::string& pem);

}  // namespace pinion::auth
