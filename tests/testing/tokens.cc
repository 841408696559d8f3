#include "tests/testing/tokens.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace pinion::testing {
namespace {

std::string Number(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string text(static_cast<size_t>(bytes > 0 ? bytes : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()),
               static_cast<int>(text.size()));
  BN_free(number);
  return text;
}

// The two numbers of a DER signature, 32 bytes each.
std::string Raw(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* both = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string raw(64, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(both), bytes, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(both), bytes + 32, 32);
  ECDSA_SIG_free(both);
  return raw;
}

}  // namespace

struct TokenIssuer::State {
  explicit State(EVP_PKEY* key) : key(key) {}
  ~State() { EVP_PKEY_free(key); }
  EVP_PKEY* const key;
};

TokenIssuer::TokenIssuer(Kind kind, std::string key_id)
    : kind_(kind),
      key_id_(std::move(key_id)),
      state_(
          std::make_unique<State>(kind == Kind::kRs256 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"))) {
  CHECK(state_->key != nullptr);
}

TokenIssuer::~TokenIssuer() = default;

std::string TokenIssuer::Base64Url(absl::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  return text.substr(0, text.find('='));
}

std::string TokenIssuer::Jwks() const {
  const std::string id = key_id_.empty() ? "" : absl::StrCat(",\"kid\":\"", key_id_, "\"");
  EVP_PKEY* key = state_->key;
  if (kind_ == Kind::kRs256) {
    return absl::StrCat("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"",
                        Base64Url(Number(key, OSSL_PKEY_PARAM_RSA_N, 0)), "\",\"e\":\"",
                        Base64Url(Number(key, OSSL_PKEY_PARAM_RSA_E, 0)), "\"", id, "}]}");
  }
  return absl::StrCat("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"",
                      Base64Url(Number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)), "\",\"y\":\"",
                      Base64Url(Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)), "\"", id, "}]}");
}

std::string TokenIssuer::Pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_PUBKEY(bio, state_->key) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string TokenIssuer::Token(const std::string& claims) const {
  const std::string id = key_id_.empty() ? "" : absl::StrCat(",\"kid\":\"", key_id_, "\"");
  return TokenWithHeader(
      absl::StrCat("{\"alg\":\"", kind_ == Kind::kRs256 ? "RS256" : "ES256", "\"", id, "}"),
      claims);
}

std::string TokenIssuer::TokenWithHeader(const std::string& header,
                                         const std::string& claims) const {
  const std::string data = absl::StrCat(Base64Url(header), ".", Base64Url(claims));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  CHECK(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, state_->key) == 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, bytes, data.size());
  std::string signature(size, '\0');
  CHECK(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                       data.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  if (kind_ == Kind::kEs256) signature = Raw(signature);
  return absl::StrCat(data, ".", Base64Url(signature));
}

}  // namespace pinion::testing
