// OpenSSL's objects, owned: what more than one folder holds of them, and asks. Knows only the
// headers; who uses it links libcrypto.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>

#include "absl/time/time.h"

namespace pinion {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslFree<X509_free>>;

// Until when a certificate is good (RFC 5280 section 4.1.2.5). Nullopt: it does not say, in a form
// that can be read.
inline std::optional<absl::Time> ExpiryOf(const X509& certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return std::nullopt;
  return absl::FromTM(time, absl::UTCTimeZone());
}

}  // namespace pinion
