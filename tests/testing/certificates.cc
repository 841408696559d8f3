#include "tests/testing/certificates.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pinion::testing {
namespace {

using PkeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

PkeyPtr NewKey(bool rsa) {
  EVP_PKEY* key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
  CHECK(key != nullptr);
  return PkeyPtr(key, EVP_PKEY_free);
}

void AddName(GENERAL_NAMES* names, int type, const std::string& bytes) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value =
      type == GEN_IPADD ? a2i_IPADDRESS(bytes.c_str()) : ASN1_STRING_type_new(V_ASN1_IA5STRING);
  if (type != GEN_IPADD) ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size()));
  GENERAL_NAME_set0_value(name, type, value);
  sk_GENERAL_NAME_push(names, name);
}

void AddSans(X509* certificate, const CertificateSpec& spec) {
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  for (const std::string& dns : spec.dns) AddName(names, GEN_DNS, dns);
  for (const std::string& uri : spec.uris) AddName(names, GEN_URI, uri);
  for (const std::string& ip : spec.ips) AddName(names, GEN_IPADD, ip);
  if (sk_GENERAL_NAME_num(names) > 0) {
    CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1);
  }
  GENERAL_NAMES_free(names);
}

void SetTimes(X509* certificate, absl::Duration valid) {
  const bool expired = valid < absl::ZeroDuration();
  const auto seconds = static_cast<long>(absl::ToInt64Seconds(valid));
  X509_gmtime_adj(X509_getm_notBefore(certificate), expired ? seconds - 3600 : -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
}

X509Ptr NewCertificate(const std::string& common_name, EVP_PKEY* key) {
  X509Ptr certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  static long serial = 0;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  return certificate;
}

std::string Pem(const std::function<int(BIO*)>& write) {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(write(bio) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string WriteFile(const std::string& path, absl::string_view text) {
  // Renamed into place, as a careful operator does: nobody reads half a file.
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::binary);
    out << text;
    CHECK(out.good());
  }
  std::filesystem::rename(fresh, path);
  return path;
}

}  // namespace

struct CertificateAuthority::State {
  PkeyPtr key = NewKey(false);
  X509Ptr certificate{nullptr, X509_free};
};

CertificateAuthority::CertificateAuthority(const std::string& name)
    : state_(std::make_unique<State>()) {
  state_->certificate = NewCertificate(name, state_->key.get());
  X509* certificate = state_->certificate.get();
  SetTimes(certificate, absl::Hours(48));
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  BASIC_CONSTRAINTS* constraints = BASIC_CONSTRAINTS_new();
  constraints->ca = 1;
  X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT);
  BASIC_CONSTRAINTS_free(constraints);
  CHECK(X509_sign(certificate, state_->key.get(), EVP_sha256()) > 0);
}

CertificateAuthority::~CertificateAuthority() = default;

net::TlsCertificateFiles CertificateAuthority::Issue(const std::string& directory,
                                                     const std::string& name,
                                                     const CertificateSpec& spec) const {
  const PkeyPtr key = NewKey(spec.rsa);
  const X509Ptr certificate = NewCertificate(spec.common_name, key.get());
  SetTimes(certificate.get(), spec.valid);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(state_->certificate.get()));
  AddSans(certificate.get(), spec);
  CHECK(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0);
  const std::string stem = absl::StrCat(directory, "/", name);
  WriteFile(stem + ".key", Pem([&](BIO* bio) {
              return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                              nullptr);
            }));
  WriteFile(stem + ".crt",
            Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); }));
  return {stem + ".crt", stem + ".key"};
}

std::string CertificateAuthority::Write(const std::string& directory,
                                        const std::string& name) const {
  return WriteFile(absl::StrCat(directory, "/", name, ".crt"), Pem([&](BIO* bio) {
                     return PEM_write_bio_X509(bio, state_->certificate.get());
                   }));
}

}  // namespace pinion::testing
