#include "gateway/net/tls_shared.h"

#include "gateway/tls_limits.h"

namespace pinion::net {

absl::string_view TlsFailureName(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::kNotTls:
      return "not_tls";
    case TlsFailure::kAlpn:
      return "alpn";
    case TlsFailure::kVersion:
      return "version";
    case TlsFailure::kCipher:
      return "cipher";
    case TlsFailure::kCertificate:
      return "certificate";
    case TlsFailure::kRefused:
      return "refused";
    case TlsFailure::kClosed:
      return "closed";
    case TlsFailure::kTruncated:
      return "truncated";
    case TlsFailure::kProtocol:
      return "protocol";
  }
  return "";
}

bool TlsShared::TakeHandshakeTurn() {
  if (taken_ == limits::kTlsHandshakesPerTurn) return false;
  if (taken_++ == 0) loop_.AtEndOfTurn(*this);
  return true;
}

}  // namespace pinion::net
