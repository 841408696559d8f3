// A signature is looked at once a token, and what is remembered is bounded.
#include "gateway/proxy/token_cache.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/route/consumer_index.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/tokens.h"

namespace pinion::proxy {
namespace {

using Kind = auth::TokenVerdict::Kind;

class TokenCacheTest : public ::testing::Test {
 protected:
  TokenCacheTest() { cache_.SetIssuers(Issuers(issuer_)); }

  static std::shared_ptr<const auth::Issuers> Issuers(const testing::TokenIssuer& issuer) {
    auth::Issuer made{.name = "i", .audiences = {}, .keys = *auth::ParseKeySet(issuer.Jwks())};
    return std::make_shared<const auth::Issuers>(auth::Issuers{std::move(made)});
  }
  std::string Token(absl::Duration valid, const std::string& sub = "a") {
    return issuer_.Token(absl::StrCat("{\"iss\":\"i\",\"sub\":\"", sub, "\",\"exp\":",
                                      absl::ToUnixSeconds(clock_.Wall() + valid), "}"));
  }
  const TokenCache::Known& Check(const std::string& token) {
    const TokenCache::Known* known = cache_.Find(token, clock_.Monotonic());
    return known != nullptr ? *known : cache_.Verify(token, clock_.Monotonic());
  }

  testing::FakeClock clock_;
  int unknown_keys_ = 0;
  TokenCache cache_{&clock_, [this] { ++unknown_keys_; }};
  const testing::TokenIssuer issuer_{testing::TokenIssuer::Kind::kEs256, "k"};
};

TEST_F(TokenCacheTest, ATokenIsVerifiedOnceUntilItExpires) {
  const std::string token = Token(absl::Minutes(3));
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(Check(token).identity, nullptr);
    EXPECT_EQ(*Check(token).identity, route::JwtIdentity("i", "a"));
  }
  EXPECT_EQ(cache_.verified().value(), 1u);
  clock_.Advance(absl::Minutes(3) + limits::kJwtLeeway - absl::Seconds(1));
  EXPECT_NE(Check(token).identity, nullptr);
  EXPECT_EQ(cache_.verified().value(), 1u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Check(token).identity, nullptr);
  EXPECT_TRUE(absl::StrContains(Check(token).problem, "the token expired at "));
  EXPECT_EQ(cache_.verified().value(), 2u);
  EXPECT_EQ(cache_.refused().value(), 1u);
}

TEST_F(TokenCacheTest, AVerdictDoesNotOutliveAJumpOfTheWallClockForLong) {
  const std::string token = Token(absl::Hours(1));
  EXPECT_NE(Check(token).identity, nullptr);
  clock_.JumpWall(absl::Hours(2));
  clock_.Advance(limits::kJwtVerdictMax);
  EXPECT_EQ(Check(token).identity, nullptr) << "expired";
  clock_.JumpWall(-absl::Hours(2));
  clock_.Advance(limits::kJwtVerdictMax);
  EXPECT_NE(Check(token).identity, nullptr) << "good again";
}

TEST_F(TokenCacheTest, ATokenThatIsNotValidYetIsGoodInTime) {
  const int64_t now = absl::ToUnixSeconds(clock_.Wall());
  const std::string token = issuer_.Token(
      absl::StrCat(R"({"iss":"i","sub":"a","exp":)", now + 600, R"(,"nbf":)", now + 90, "}"));
  EXPECT_EQ(Check(token).kind, Kind::kBad);
  clock_.Advance(absl::Seconds(29));
  EXPECT_EQ(Check(token).kind, Kind::kBad);
  EXPECT_EQ(cache_.verified().value(), 1u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Check(token).kind, Kind::kGood) << Check(token).problem;
}

TEST_F(TokenCacheTest, ABadTokenIsRememberedToo) {
  std::string token = Token(absl::Minutes(10));
  token[token.size() - 2] = token[token.size() - 2] == 'A' ? 'B' : 'A';
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Check(token).kind, Kind::kForged);
  EXPECT_EQ(cache_.verified().value(), 1u);
}

TEST_F(TokenCacheTest, OtherKeysMeanOtherVerdicts) {
  const std::string token = Token(absl::Minutes(10));
  EXPECT_NE(Check(token).identity, nullptr);
  const testing::TokenIssuer newer(testing::TokenIssuer::Kind::kEs256, "n");
  cache_.SetIssuers(Issuers(newer));
  EXPECT_EQ(Check(token).kind, Kind::kUnknownKey) << "its key was withdrawn";
  EXPECT_EQ(unknown_keys_, 1);
  cache_.SetIssuers(Issuers(issuer_));
  EXPECT_NE(Check(token).identity, nullptr);
}

TEST_F(TokenCacheTest, UnknownKeysAreAskedForNowAndThen) {
  const testing::TokenIssuer stranger(testing::TokenIssuer::Kind::kEs256, "s");
  const int64_t exp = absl::ToUnixSeconds(clock_.Wall() + absl::Hours(1));
  const auto unknown = [&](int i) {
    return stranger.Token(absl::StrCat(R"({"iss":"i","sub":")", i, R"(","exp":)", exp, "}"));
  };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Check(unknown(i)).kind, Kind::kUnknownKey);
  EXPECT_EQ(unknown_keys_, 1);
  clock_.Advance(limits::kJwtRetry);
  Check(unknown(0));
  EXPECT_EQ(unknown_keys_, 2);
}

TEST_F(TokenCacheTest, WhatIsNotAskedForIsForgottenFirst) {
  const std::string token = Token(absl::Minutes(4));
  const std::string idle = Token(absl::Minutes(4), "idle");
  Check(token);
  Check(idle);
  // Good ones of a cost that fills the cache twice, and the token now and then.
  const size_t others = 2 * limits::kJwtCacheBytes / 2048;
  for (size_t i = 0; i < others; ++i) {
    const std::string other =
        Token(absl::Minutes(4), absl::StrCat(i, std::string(limits::kJwtSubjectBytesMax - 8, 'x')));
    ASSERT_EQ(Check(other).kind, Kind::kGood);
    if (i % 50 == 0) Check(token);
  }
  EXPECT_EQ(cache_.verified().value(), 2 + others) << "the token once";
  Check(idle);
  EXPECT_EQ(cache_.verified().value(), 3 + others) << "this one was forgotten";
}

TEST_F(TokenCacheTest, BadTokensDoNotDriveOutGoodOnes) {
  const std::string token = Token(absl::Minutes(4));
  Check(token);
  const std::string first(limits::kJwtBytesMax, 'x');
  Check(first);
  const size_t others = limits::kJwtCacheBytes / 1024;
  for (size_t i = 0; i < others; ++i) Check(absl::StrCat(i, std::string(1000, 'x')));
  Check(token);
  EXPECT_EQ(cache_.verified().value(), 2 + others) << "the token once";
  Check(first);
  EXPECT_EQ(cache_.verified().value(), 3 + others) << "a bad one was forgotten";
}

TEST_F(TokenCacheTest, WhatIsTooLongIsNotKept) {
  const std::string token(limits::kJwtBytesMax + 1, 'x');
  EXPECT_EQ(Check(token).problem, "the token is longer than 8192 bytes");
  EXPECT_EQ(cache_.Find(token, clock_.Monotonic()), nullptr);
}

TEST_F(TokenCacheTest, WithoutIssuersNoTokenIsGood) {
  TokenCache empty(nullptr, nullptr);
  EXPECT_EQ(empty.Verify("a.b.c", clock_.Monotonic()).identity, nullptr);
}

}  // namespace
}  // namespace pinion::proxy
