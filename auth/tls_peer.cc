#include "auth/tls_peer.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "auth/limits.h"
#include "base/openssl_ptr.h"

namespace pinion::auth {
namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;

absl::string_view TextOf(const ASN1_IA5STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

// Each URI and DNS name.
void ForEachName(const X509& certificate,
                 absl::FunctionRef<void(bool uri, absl::string_view name)> each) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) each(true, TextOf(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) each(false, TextOf(name->d.dNSName));
  }
}

bool IsSpiffe(absl::string_view uri) { return absl::StartsWith(uri, "spiffe://"); }

}  // namespace

TlsPeer ReadTlsPeer(const X509& certificate) {
  TlsPeer peer;
  ForEachName(certificate, [&](bool uri, absl::string_view name) {
    if (name.empty() || name.size() > limits::kCertificateNameBytesMax) return;
    if (uri) {
      if (IsSpiffe(name)) peer.spiffe_id = std::string(name);
    } else if (peer.dns_names.size() < limits::kCertificateNamesMax) {
      peer.dns_names.push_back(absl::AsciiStrToLower(name));
    }
  });
  return peer;
}

bool NamesAreClear(const X509& certificate) {
  bool nul = false;
  int spiffe_ids = 0;
  ForEachName(certificate, [&](bool uri, absl::string_view name) {
    nul = nul || name.find('\0') != absl::string_view::npos;
    spiffe_ids += uri && IsSpiffe(name) ? 1 : 0;
  });
  return !nul && spiffe_ids <= 1;
}

absl::StatusOr<PeerCertificate> ReadPeerCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  const std::optional<absl::Time> expiry =
      certificate == nullptr ? std::nullopt : ExpiryOf(*certificate);
  if (!expiry.has_value()) {
    return absl::InvalidArgumentError("the client certificate cannot be read");
  }
  if (!NamesAreClear(*certificate)) {
    return absl::InvalidArgumentError(
        "the client certificate's names are not clear: one has a NUL in it, or there are several "
        "SPIFFE URIs");
  }
  return PeerCertificate{ReadTlsPeer(*certificate), *expiry};
}

}  // namespace pinion::auth
