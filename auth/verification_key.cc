#include "auth/verification_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/json.h"
#include "auth/limits.h"
#include "auth/openssl_ptr.h"

namespace pinion::auth {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr size_t kP256Bytes = 32;

// Empty: it is not there, or no text.
std::string Text(const JsonObject& object, absl::string_view name) {
  return TextOf(object, name).value_or("");
}

// Of these parameters; null when they are no key.
EvpPkeyPtr FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return EvpPkeyPtr(key);
}

EvpPkeyPtr RsaKey(const JsonObject& jwk) {
  std::string n;
  std::string e;
  if (!DecodeBase64Url(Text(jwk, "n"), n) || !DecodeBase64Url(Text(jwk, "e"), e)) return nullptr;
  const auto number = [](const std::string& bytes) {
    return BignumPtr(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                               static_cast<int>(bytes.size()), nullptr));
  };
  const BignumPtr modulus = number(n);
  const BignumPtr exponent = number(e);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return FromParameters("RSA", builder.get());
}

EvpPkeyPtr EcKey(const JsonObject& jwk) {
  std::string x;
  std::string y;
  if (Text(jwk, "crv") != "P-256") return nullptr;
  if (!DecodeBase64Url(Text(jwk, "x"), x) || !DecodeBase64Url(Text(jwk, "y"), y)) return nullptr;
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return nullptr;
  // An uncompressed point (SEC 1 §2.3.3).
  const std::string point = absl::StrCat("\x04", x, y);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return FromParameters("EC", builder.get());
}

// "" fits: most fields of a JWK are optional.
bool Is(const std::string& value, absl::string_view wanted) {
  return value.empty() || value == wanted;
}

void AddJwk(const JsonObject& jwk, KeySet& keys) {
  const std::string type = Text(jwk, "kty");
  const bool rsa = type == "RSA";
  if (!rsa && type != "EC") return;
  if (!Is(Text(jwk, "use"), "sig") || !Is(Text(jwk, "alg"), rsa ? "RS256" : "ES256")) return;
  const EvpPkeyPtr key = rsa ? RsaKey(jwk) : EcKey(jwk);
  if (key == nullptr) return;
  auto made = VerificationKey::Make(*key, Text(jwk, "kid"));
  if (made != nullptr) keys.push_back(std::move(made));
}

absl::Status ReadJwks(const std::string& text, KeySet& keys) {
  JsonReader json;
  const std::optional<JsonObject> set = json.Read(text);
  if (!set.has_value()) return absl::InvalidArgumentError("neither PEM nor JSON");
  const std::optional<JsonValue> list = Find(*set, "keys");
  simdjson::dom::array values;
  if (!list.has_value() || list->get(values) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError("JSON without a list \"keys\": not a JWK Set");
  }
  for (const JsonValue each : values) {
    JsonObject jwk;
    if (each.get(jwk) == simdjson::SUCCESS) AddJwk(jwk, keys);
  }
  return absl::OkStatus();
}

// Public keys first, then those of certificates.
void ReadPem(const std::string& text, KeySet& keys) {
  const auto add = [&](const EvpPkeyPtr& key) {
    auto made = VerificationKey::Make(*key, "");
    if (made != nullptr) keys.push_back(std::move(made));
  };
  const auto size = static_cast<int>(text.size());
  const BioPtr public_keys(BIO_new_mem_buf(text.data(), size));
  while (EVP_PKEY* key = PEM_read_bio_PUBKEY(public_keys.get(), nullptr, nullptr, nullptr)) {
    add(EvpPkeyPtr(key));
  }
  const BioPtr certificates(BIO_new_mem_buf(text.data(), size));
  while (X509* read = PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
    const X509Ptr certificate(read);
    if (EVP_PKEY* key = X509_get_pubkey(read); key != nullptr) add(EvpPkeyPtr(key));
  }
  ERR_clear_error();  // the end of the text is one, too
}

// The two numbers as OpenSSL wants them; empty: they are none.
std::string DerOfEs256(absl::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return "";
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const EcdsaSigPtr both(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes, kP256Bytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes + kP256Bytes, kP256Bytes, nullptr);
  ECDSA_SIG_set0(both.get(), r, s);  // owns them now
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &der);
  if (size <= 0) return "";
  std::string result(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return result;
}

}  // namespace

bool DecodeBase64Url(absl::string_view text, std::string& bytes) {
  const auto plain = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), plain) &&
         absl::WebSafeBase64Unescape(text, &bytes) && absl::WebSafeBase64Escape(bytes) == text;
}

std::unique_ptr<const VerificationKey> VerificationKey::Make(EVP_PKEY& key, std::string id) {
  JwtAlgorithm algorithm;
  char group[32] = "";
  if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(&key) >= kRsaBitsMin) {
    algorithm = JwtAlgorithm::kRs256;
  } else if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
             EVP_PKEY_get_group_name(&key, group, sizeof(group), nullptr) == 1 &&
             absl::string_view(group) == "prime256v1") {
    algorithm = JwtAlgorithm::kEs256;
  } else {
    return nullptr;
  }
  EVP_PKEY_up_ref(&key);
  return std::unique_ptr<const VerificationKey>(
      new VerificationKey(&key, algorithm, std::move(id)));
}

VerificationKey::~VerificationKey() { EVP_PKEY_free(key_); }

bool VerificationKey::Signed(absl::string_view data, absl::string_view signature) const {
  std::string der;
  if (algorithm_ == JwtAlgorithm::kEs256) {
    der = DerOfEs256(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_) == 1 &&
      EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(data.data()),
                       data.size()) == 1;
  ERR_clear_error();
  return good;
}

absl::StatusOr<std::shared_ptr<const KeySet>> ParseKeySet(const std::string& text) {
  auto keys = std::make_shared<KeySet>();
  if (absl::StrContains(text, "-----BEGIN")) {
    ReadPem(text, *keys);
  } else if (absl::Status read = ReadJwks(text, *keys); !read.ok()) {
    return read;
  }
  if (keys->empty()) {
    return absl::InvalidArgumentError(
        "no public key that can check tokens: RSA of 2048 bits or more for RS256, P-256 for ES256");
  }
  if (keys->size() > limits::kJwtKeysMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("more than ", limits::kJwtKeysMax, " keys that sign tokens"));
  }
  return keys;
}

}  // namespace pinion::auth
