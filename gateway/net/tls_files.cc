#include "gateway/net/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/openssl_ptr.h"
#include "base/status_macros.h"
#include "gateway/net/tls_pem.h"
#include "gateway/tls_limits.h"

namespace pinion::net {
namespace {

absl::StatusOr<std::string> ReadPemFile(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the name of a PEM file is missing");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, " cannot be read"));
  }
  std::string text(limits::kTlsFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " cannot be read: ", std::strerror(errno)));
  }
  if (text.size() > limits::kTlsFileBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has more than ", limits::kTlsFileBytesMax, " bytes: is it the right file?"));
  }
  return text;
}

BioPtr Over(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is there to type a passphrase.
int NoPassphrase(char* /*into*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::StatusOr<EvpPkeyPtr> ReadKey(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadPemFile(path));
  ERR_clear_error();
  bool encrypted = false;
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(Over(text).get(), nullptr, NoPassphrase, &encrypted));
  TakeOpenSslError();  // never tells more than that there is no key
  if (key != nullptr) return key;
  if (encrypted) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": the private key is encrypted; store it without a passphrase, "
                     "readable by the gateway's user only"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path, " holds no PEM private key; it should begin with -----BEGIN PRIVATE KEY-----"));
}

absl::Status CheckBelongs(X509& certificate, EVP_PKEY& key, const TlsCertificateFiles& files) {
  ERR_clear_error();
  const bool belongs = X509_check_private_key(&certificate, &key) == 1;
  TakeOpenSslError();
  if (belongs) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the private key in ", files.private_key, " does not belong to the first certificate in ",
      files.certificate_chain, "; name the key that the certificate was made for"));
}

}  // namespace

std::string TakeOpenSslError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "";
}

absl::Time NotAfter(const X509& certificate) {
  return ExpiryOf(certificate).value_or(absl::InfinitePast());
}

absl::StatusOr<std::vector<X509Ptr>> ReadCertificates(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadPemFile(path));
  ERR_clear_error();
  const BioPtr bio = Over(text);
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // The end of the file is reported as "no start line"; anything else is a certificate that is
  // broken, and what follows it would be lost.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = TakeOpenSslError();
  if (certificates.empty() && at_end) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     " holds no PEM certificate; it should begin with "
                     "-----BEGIN CERTIFICATE-----"));
  }
  if (!at_end) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": certificate ", certificates.size() + 1,
                                                   " in this file is broken (", why, ")"));
  }
  return certificates;
}

absl::StatusOr<TlsCertificate> ReadCertificate(const TlsCertificateFiles& files) {
  TlsCertificate certificate;
  ASSIGN_OR_RETURN(certificate.chain, ReadCertificates(files.certificate_chain));
  ASSIGN_OR_RETURN(certificate.key, ReadKey(files.private_key));
  RETURN_IF_ERROR(CheckBelongs(*certificate.chain.front(), *certificate.key, files));
  return certificate;
}

absl::Status CheckCertificates(const std::string& path) { return ReadCertificates(path).status(); }

absl::Status CheckPrivateKey(const TlsCertificateFiles& files) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, ReadKey(files.private_key));
  const auto chain = ReadCertificates(files.certificate_chain);
  return chain.ok() ? CheckBelongs(*chain->front(), *key, files) : absl::OkStatus();
}

absl::StatusOr<absl::Time> CertificateExpiry(const std::string& chain_path) {
  ASSIGN_OR_RETURN(const auto chain, ReadCertificates(chain_path));
  return NotAfter(*chain.front());
}

std::string CertificateWarning(const std::string& chain_path, absl::Time now) {
  const absl::StatusOr<absl::Time> expiry = CertificateExpiry(chain_path);
  if (!expiry.ok() || *expiry > now) return "";
  return absl::StrCat(chain_path, ": the certificate has expired on ",
                      absl::FormatTime("%Y-%m-%d %H:%M", *expiry, absl::UTCTimeZone()),
                      " UTC; peers that check it will refuse it");
}

}  // namespace pinion::net
