// Which tokens are believed, and which attempts to be believed are not.
#include "auth/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "gtest/gtest.h"
#include "tests/testing/tokens.h"

namespace pinion::auth {
namespace {

using testing::TokenIssuer;

const absl::Time kNow = absl::FromUnixSeconds(2'000'000'000);

std::string Claims(const std::string& more = "", int64_t exp = 2'000'000'600) {
  return absl::StrCat("{\"iss\":\"https://issuer\",\"sub\":\"billing\",\"exp\":", exp, more, "}");
}

// An RSA key takes long to make.
const TokenIssuer& SharedRsaIssuer() {
  static const TokenIssuer issuer(TokenIssuer::Kind::kRs256, "one");
  return issuer;
}

class JwtTest : public ::testing::Test {
 protected:
  JwtTest() {
    issuers_.push_back({.name = "https://issuer", .audiences = {}, .keys = Keys(rs_.Jwks())});
    issuers_.push_back({.name = "es", .audiences = {}, .keys = Keys(es_.Pem())});
  }
  static std::shared_ptr<const KeySet> Keys(const std::string& text) {
    auto keys = ParseKeySet(text);
    EXPECT_TRUE(keys.ok()) << keys.status() << text;
    return *keys;
  }
  TokenVerdict Verify(const std::string& token) { return VerifyToken(token, issuers_, kNow); }
  // "" or the problem.
  std::string Problem(const std::string& token) { return Verify(token).problem; }

  const TokenIssuer& rs_ = SharedRsaIssuer();
  const TokenIssuer es_{TokenIssuer::Kind::kEs256, "two"};
  Issuers issuers_;
};

TEST_F(JwtTest, GoodTokensNameTheirSubject) {
  const TokenVerdict good = Verify(rs_.Token(Claims()));
  EXPECT_EQ(good.problem, "");
  EXPECT_EQ(good.issuer + " " + good.subject, "https://issuer billing");
  EXPECT_EQ(good.until, absl::FromUnixSeconds(2'000'000'600) + limits::kJwtLeeway);
  const TokenVerdict es = Verify(es_.Token("{\"iss\":\"es\",\"sub\":\"a\",\"exp\":2000000001.5}"));
  EXPECT_EQ(es.problem + es.subject, "a");
}

TEST_F(JwtTest, GroupsAreReadFromTheClaimThatIsNamed) {
  const std::string groups = ",\"groups\":[\"ops\",1,\"\",\"dev\"],\"team\":\"red\"";
  EXPECT_TRUE(Verify(rs_.Token(Claims(groups))).groups.empty()) << "none is named";
  issuers_[0].groups_claim = "groups";
  EXPECT_EQ(Verify(rs_.Token(Claims(groups))).groups, (std::vector<std::string>{"ops", "dev"}));
  issuers_[0].groups_claim = "team";
  EXPECT_EQ(Verify(rs_.Token(Claims(groups))).groups, std::vector<std::string>{"red"});
  EXPECT_TRUE(Verify(rs_.Token(Claims())).groups.empty());
  std::string many = ",\"team\":[\"g\"";
  for (int i = 0; i < 1000; ++i) many += ",\"g\"";
  EXPECT_EQ(Verify(rs_.Token(Claims(many + "]"))).groups.size(), limits::kJwtGroupsMax);
}

TEST_F(JwtTest, TimesHaveALeeway) {
  EXPECT_EQ(Problem(rs_.Token(Claims("", 1'999'999'950))), "");
  EXPECT_EQ(Problem(rs_.Token(Claims("", 1'999'999'940))),
            "the token expired at 2033-05-18T03:32:20Z; get another one");
  EXPECT_EQ(Problem(rs_.Token(Claims(",\"nbf\":2000000060"))), "");
  const TokenVerdict early = Verify(rs_.Token(Claims(",\"nbf\":2000000100")));
  EXPECT_EQ(early.problem, "the token is not valid before 2033-05-18T03:35:00Z");
  EXPECT_EQ(early.until, absl::FromUnixSeconds(2'000'000'040));
  EXPECT_EQ(Problem(rs_.Token("{\"iss\":\"https://issuer\",\"sub\":\"a\"}")),
            "the token never expires: it has no exp");
  for (const char* exp : {"\"2000000600\"", "-1", "1e300", "null"}) {
    EXPECT_NE(Problem(rs_.Token(
                  absl::StrCat("{\"iss\":\"https://issuer\",\"sub\":\"a\",\"exp\":", exp, "}"))),
              "")
        << exp;
  }
}

TEST_F(JwtTest, AnIssuerMayHaveAnotherLeeway) {
  issuers_[0].leeway = absl::ZeroDuration();
  EXPECT_EQ(Problem(rs_.Token(Claims("", 2'000'000'001))), "");
  EXPECT_NE(Problem(rs_.Token(Claims("", 2'000'000'000))), "");
  EXPECT_NE(Problem(rs_.Token(Claims(",\"nbf\":2000000001"))), "");
}

TEST_F(JwtTest, AnAudienceMustBeOneOfOurs) {
  issuers_[0].audiences = {"gateway", "other"};
  EXPECT_EQ(Problem(rs_.Token(Claims(",\"aud\":\"gateway\""))), "");
  EXPECT_EQ(Problem(rs_.Token(Claims(",\"aud\":[\"x\",\"other\"]"))), "");
  for (const char* aud :
       {"", ",\"aud\":\"x\"", ",\"aud\":[]", ",\"aud\":[1]", ",\"aud\":\"Gateway\""}) {
    EXPECT_EQ(Problem(rs_.Token(Claims(aud))), "the token is for another audience") << aud;
  }
}

// RFC 8725 §3.1, CVE-2015-9235 and many after it: what is not signed by the issuer's private key.
TEST_F(JwtTest, AlgorithmsAreNotTheCallersToChoose) {
  const std::string claims = Claims();
  for (const char* header :
       {"{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"HS256\"}", "{\"alg\":\"RS512\"}",
        "{\"alg\":\"PS256\"}", "{\"alg\":\"\"}", "{}", "{\"alg\":[\"RS256\"]}"}) {
    EXPECT_EQ(Problem(rs_.TokenWithHeader(header, claims)),
              "the token is signed by neither RS256 nor ES256")
        << header;
  }
  // Unsigned, with an empty last part.
  const std::string unsigned_part =
      TokenIssuer::Base64Url("{\"alg\":\"none\"}") + "." + TokenIssuer::Base64Url(claims);
  EXPECT_NE(Problem(unsigned_part + "."), "");
  EXPECT_NE(Problem(unsigned_part), "");
  // The public key as the secret of an HMAC.
  const std::string data =
      TokenIssuer::Base64Url("{\"alg\":\"HS256\"}") + "." + TokenIssuer::Base64Url(claims);
  unsigned char mac[32];
  unsigned int size = sizeof(mac);
  const std::string secret = rs_.Pem();
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(), mac, &size);
  EXPECT_NE(Problem(data + "." +
                    TokenIssuer::Base64Url({reinterpret_cast<const char*>(mac), sizeof(mac)})),
            "");
  // The other algorithm's key of another issuer.
  EXPECT_NE(Problem(es_.TokenWithHeader("{\"alg\":\"ES256\"}", claims)), "");
  EXPECT_NE(Problem(es_.TokenWithHeader("{\"alg\":\"RS256\"}", claims)), "");
  // The right key, under the name of the other algorithm.
  for (const char* header : {R"({"alg":"ES256"})", R"({"alg":"ES256","kid":"one"})"}) {
    EXPECT_EQ(Problem(rs_.TokenWithHeader(header, claims)),
              "the token is signed with a key that its issuer does not show");
  }
  EXPECT_EQ(Problem(rs_.TokenWithHeader("{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", claims)),
            "the token has a critical header");
}

// One text for each sequence of bytes, or one token could be shown in many forms.
TEST(DecodeBase64Url, TakesOneWayToWriteEachSequenceOfBytes) {
  std::string bytes;
  ASSERT_TRUE(DecodeBase64Url("-_8", bytes));
  EXPECT_EQ(bytes, "\xfb\xff");
  ASSERT_TRUE(DecodeBase64Url("QQ", bytes));
  EXPECT_EQ(bytes, "A");
  for (const char* other : {"", "Q", "QR", "QQ==", "QQ=", "QQ ", " QQ", "Q\nQ", "+/8", "QQQQQ"}) {
    EXPECT_FALSE(DecodeBase64Url(other, bytes)) << other;
  }
}

TEST_F(JwtTest, AChangedByteAnywhereIsNoticed) {
  const std::string token = rs_.Token(Claims());
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed == token) continue;
    EXPECT_NE(Problem(changed), "") << i;
  }
}

TEST_F(JwtTest, KeysAreChosenByIssuerAndId) {
  const TokenIssuer other(TokenIssuer::Kind::kRs256, "one");
  const TokenVerdict forged = Verify(other.Token(Claims()));
  EXPECT_EQ(forged.problem, "the token has a signature that its issuer's key did not make");
  EXPECT_EQ(forged.kind, TokenVerdict::Kind::kForged);
  const TokenIssuer newer(TokenIssuer::Kind::kRs256, "three");
  const TokenVerdict unknown = Verify(newer.Token(Claims()));
  EXPECT_EQ(unknown.problem, "the token is signed with a key that its issuer does not show");
  EXPECT_EQ(unknown.kind, TokenVerdict::Kind::kUnknownKey);
  EXPECT_EQ(unknown.until, kNow + limits::kJwtRetry);
  // Without an id every key is tried.
  EXPECT_EQ(Problem(rs_.TokenWithHeader("{\"alg\":\"RS256\"}", Claims())), "");
  EXPECT_EQ(Problem(rs_.Token("{\"iss\":\"https://issuer/\",\"sub\":\"a\",\"exp\":2000000600}")),
            "the token is of an issuer that is not trusted here");
  issuers_[0].keys = nullptr;
  const TokenVerdict unchecked = Verify(rs_.Token(Claims()));
  EXPECT_TRUE(absl::StrContains(unchecked.problem, "not there yet")) << unchecked.problem;
  EXPECT_EQ(unchecked.kind, TokenVerdict::Kind::kNoKeys);
}

// What a stranger can make up in any number must not cost a signature each.
TEST_F(JwtTest, TheSignatureIsLookedAtLast) {
  const TokenIssuer other(TokenIssuer::Kind::kRs256, "one");
  issuers_[0].audiences = {"gateway"};
  const std::string ours = ",\"aud\":\"gateway\"";
  EXPECT_EQ(Verify(other.Token(Claims(ours))).kind, TokenVerdict::Kind::kForged);
  EXPECT_EQ(Verify(other.Token(Claims(ours, 1))).kind, TokenVerdict::Kind::kBad);
  EXPECT_EQ(Verify(other.Token(Claims())).kind, TokenVerdict::Kind::kBad);
  EXPECT_EQ(Verify(other.Token("{\"iss\":\"https://issuer\",\"exp\":2000000600" + ours + "}")).kind,
            TokenVerdict::Kind::kBad);
}

TEST_F(JwtTest, ATokenWithoutAKeyIdIsNotTriedWithEveryKey) {
  std::string pem;
  for (size_t i = 0; i < limits::kJwtTriesMax; ++i)
    pem += TokenIssuer(TokenIssuer::Kind::kEs256).Pem();
  const std::string token = es_.TokenWithHeader(
      "{\"alg\":\"ES256\"}", "{\"iss\":\"es\",\"sub\":\"a\",\"exp\":2000000600}");
  issuers_[1].keys = Keys(es_.Pem() + pem);
  EXPECT_EQ(Problem(token), "");
  issuers_[1].keys = Keys(pem + es_.Pem());
  EXPECT_EQ(Problem(token),
            "the token does not say by its kid which of its issuer's many keys has signed it");
}

TEST_F(JwtTest, WhatIsNoTokenIsMalformed) {
  const std::string good = rs_.Token(Claims());
  for (const std::string& text :
       std::vector<std::string>{"", ".", "..", "a.b", "a.b.c", "a.b.c.d", good + ".x", good + "=",
                                good + "\n", " " + good, good.substr(0, good.size() / 2),
                                std::string(limits::kJwtBytesMax + 1, 'a')}) {
    EXPECT_NE(Problem(text), "") << text.substr(0, 80);
  }
  for (const char* claims :
       {"[]", "null", "{", "{\"iss\":1}",
        "{\"iss\":\"https://issuer\",\"iss\":\"es\",\"sub\":\"a\",\"exp\":1}"}) {
    EXPECT_NE(Problem(rs_.Token(claims)), "") << claims;
  }
  for (const char* sub : {"1", "\"\"", "\"a\\u0000b\"", "null"}) {
    EXPECT_NE(Problem(rs_.Token(absl::StrCat(
                  "{\"iss\":\"https://issuer\",\"exp\":2000000600,\"sub\":", sub, "}"))),
              "")
        << sub;
  }
}

// RFC 7515, appendices A.2 and A.3.
TEST_F(JwtTest, TheSignaturesOfTheRfcAreGood) {
  struct Example {
    std::string jwk, header, signature;
  };
  const Example examples[] = {
      {R"({"kty":"RSA","n":")"
       R"(ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4q)"
       R"(PCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OM)"
       R"(g0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb)"
       R"(3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h)"
       R"(4FRWyuXpoQ","e":"AQAB"})",
       "eyJhbGciOiJSUzI1NiJ9",
       "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2"
       "Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjt"
       "QBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6"
       "IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
      {R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
       R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
       "eyJhbGciOiJFUzI1NiJ9",
       "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}};
  const std::string claims =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
      "VlfQ";
  for (const Example& example : examples) {
    const auto keys = Keys(absl::StrCat("{\"keys\":[", example.jwk, "]}"));
    std::string signature;
    ASSERT_TRUE(DecodeBase64Url(example.signature, signature));
    const std::string data = example.header + "." + claims;
    EXPECT_TRUE((*keys)[0]->Signed(data, signature)) << example.header;
    EXPECT_FALSE((*keys)[0]->Signed(data + "x", signature));
    EXPECT_FALSE((*keys)[0]->Signed(data, ""));
    // Zeros were once taken for a signature by ECDSA (CVE-2022-21449).
    EXPECT_FALSE((*keys)[0]->Signed(data, std::string(signature.size(), '\0')));
  }
}

TEST_F(JwtTest, KeySetsHoldWhatSignsTokensAndNothingElse) {
  EXPECT_EQ(Keys(rs_.Pem() + es_.Pem())->size(), 2u);
  const std::string jwk = es_.Jwks().substr(9, es_.Jwks().size() - 11);
  EXPECT_EQ(Keys(absl::StrCat("{\"keys\":[", jwk,
                              ",{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"OKP\"},7,",
                              "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}"))
                ->size(),
            1u);
  const std::string modulus = TokenIssuer::Base64Url(std::string(128, '\xff'));
  const std::string point = TokenIssuer::Base64Url(std::string(32, '\1'));
  const std::string not_ours[] = {
      absl::StrCat(R"({"kty":"RSA","e":"AQAB","n":")", modulus, R"("})"),
      absl::StrCat(R"({"kty":"EC","crv":"P-256","x":")", point, R"(","y":")", point, R"("})"),
      jwk.substr(0, jwk.size() - 1) + R"(,"alg":"RS256"})",
      jwk.substr(0, jwk.size() - 1) + R"(,"alg":"ES384"})",
      jwk.substr(0, jwk.size() - 1) + R"(,"use":"enc"})"};
  for (const std::string& other : not_ours) {
    EXPECT_FALSE(ParseKeySet("{\"keys\":[" + other + "]}").ok()) << other;
  }
  std::string many = jwk;
  for (size_t i = 0; i < limits::kJwtKeysMax; ++i) absl::StrAppend(&many, ",", jwk);
  EXPECT_EQ(ParseKeySet("{\"keys\":[" + many + "]}").status().message(),
            "more than 64 keys that sign tokens");
  for (const char* bad : {"", "hello", "{}", "{\"keys\":[]}", "{\"keys\":{}}",
                          "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
                          "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
    EXPECT_FALSE(ParseKeySet(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace pinion::auth
