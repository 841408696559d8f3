// Tokens of callers, and the keys that an issuer shows. The first byte says what follows: a token
// as it is, the three parts of one as JSON and bytes, or a set of keys.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "auth/jwt.h"
#include "base/check.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

constexpr uint8_t kToken = 0;
constexpr uint8_t kParts = 1;
constexpr uint8_t kKeys = 2;

const absl::Time kNow = absl::FromUnixSeconds(1'300'000'000);

// RFC 7515, appendix A.3: a key, and what it has signed; the token has no subject.
constexpr char kRfcKeys[] =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
constexpr char kRfcToken[] =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
    "KTUJqPP3-Kg6NU1Q";

constexpr char kRfcPem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END PUBLIC KEY-----\n";

std::string Base64Url(absl::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  return text.substr(0, text.find('='));
}

// Nobody here can sign, so no token is good; and what its sender is told can be printed.
void RunToken(absl::string_view token) {
  static const auth::Issuers issuers = {
      {.name = "joe", .audiences = {}, .keys = *auth::ParseKeySet(kRfcKeys)},
      {.name = "ann", .audiences = {"us"}, .keys = nullptr}};
  const auth::TokenVerdict verdict = auth::VerifyToken(token, issuers, kNow);
  CHECK(verdict.kind != auth::TokenVerdict::Kind::kGood);
  CHECK(!verdict.problem.empty() && verdict.problem.size() < 200);
  for (const unsigned char c : verdict.problem) CHECK(absl::ascii_isprint(c));
  CHECK(verdict.until > kNow);
}

void RunKeys(absl::string_view text) {
  const auto keys = auth::ParseKeySet(std::string(text));
  if (!keys.ok()) {
    CHECK(keys.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  CHECK(!(*keys)->empty() && (*keys)->size() <= limits::kJwtKeysMax);
  for (const auto& key : **keys) CHECK(!key->Signed("data", std::string(64, '\1')));
}

}  // namespace

std::vector<std::string> Seeds() {
  const auto parts = [](absl::string_view header, absl::string_view claims) {
    return std::string(1, kParts) + Piece(header) + Piece(claims) + Piece(std::string(64, '\1'));
  };
  return {std::string(1, kToken) + kRfcToken,
          parts(R"({"alg":"ES256"})", R"({"iss":"joe","sub":"a","exp":1300819380})"),
          parts(R"({"alg":"ES256","kid":"x"})", R"({"iss":"joe","sub":"a","exp":1e9,"nbf":2e9})"),
          parts(R"({"alg":"RS256","crit":["b64"]})", R"({"iss":"ann","aud":["us",1],"exp":2e9})"),
          parts(R"({"alg":"none"})", R"({"iss":{"iss":[[[[]]]]},"exp":"2e9"})"),
          std::string(1, kKeys) + kRfcKeys,
          std::string(1, kKeys) + R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"oct"}]})",
          std::string(1, kKeys) + kRfcPem};
}

void Run(absl::string_view input) {
  Input bytes(input);
  switch (bytes.Byte() % 3) {
    case kToken:
      return RunToken(bytes.rest());
    case kKeys:
      return RunKeys(bytes.rest());
    default:
      break;
  }
  const std::string header = Base64Url(bytes.Piece());
  const std::string claims = Base64Url(bytes.Piece());
  RunToken(absl::StrCat(header, ".", claims, ".", Base64Url(bytes.Piece())));
}

}  // namespace pinion::fuzz
