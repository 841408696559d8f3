#include "dial/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/openssl_ptr.h"
#include "base/read_file.h"
#include "base/status_macros.h"

namespace pinion::dial {
namespace {

constexpr size_t kBytesMax = 4 * 1024 * 1024;

using StorePtr = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, OpenSslFree<X509_STORE_CTX_free>>;
using StackPtr =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;

absl::StatusOr<std::vector<X509Ptr>> ReadChain(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> chain;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(certificate);
  }
  ERR_clear_error();  // the end of the text counts as an error
  if (!chain.empty()) return chain;
  return absl::InvalidArgumentError("there is no certificate in PEM");
}

absl::StatusOr<StorePtr> StoreOf(const std::string& trusted_ca) {
  StorePtr store(X509_STORE_new());
  if (trusted_ca.empty()) {
    X509_STORE_set_default_paths(store.get());
    return store;
  }
  const absl::StatusOr<std::string> text = ReadFile(trusted_ca, kBytesMax);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(trusted_ca, " ", text.status().message()));
  }
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> trusted, ReadChain(*text));
  for (const X509Ptr& one : trusted) X509_STORE_add_cert(store.get(), one.get());
  return store;
}

}  // namespace

absl::StatusOr<absl::Time> ExpiryOf(const std::string& pem) {
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadChain(pem));
  if (const auto expiry = pinion::ExpiryOf(*chain.front()); expiry.has_value()) return *expiry;
  return absl::InvalidArgumentError("the certificate does not say until when it is good");
}

absl::StatusOr<std::string> WhyNotTrusted(const std::string& pem_chain,
                                          const std::string& trusted_ca, const std::string& name,
                                          absl::Time now) {
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> chain, ReadChain(pem_chain));
  ASSIGN_OR_RETURN(const StorePtr store, StoreOf(trusted_ca));
  const StackPtr between(sk_X509_new_null());
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(between.get(), chain[i].get());
  const ContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), between.get());
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM* asked = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(asked, absl::ToTimeT(now));
  // A name that is no IP address.
  if (X509_VERIFY_PARAM_set1_ip_asc(asked, name.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(asked, name.c_str(), name.size());
  }
  const bool trusted = X509_verify_cert(context.get()) == 1;
  const int why = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return trusted ? std::string() : std::string(X509_verify_cert_error_string(why));
}

}  // namespace pinion::dial
