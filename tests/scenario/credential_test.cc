// Tokens and API keys as a caller's credentials: which one counts, which ends the call, and that an
// instance sees none of them.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "base/sha256.h"
#include "tests/scenario/tls_scenario.h"
#include "tests/testing/tokens.h"

namespace pinion::proxy {
namespace {

using testing::TokenIssuer;

class CredentialTest : public TlsScenarioTest {
 protected:
  CredentialTest() {
    listener_.jwt = true;
    listener_.api_key_header = "x-api-key";
    Options options;
    options.clock = &world_.clock();
    UseOptions(std::move(options));
    UseKeys();
    Put({"consumer { name: 'billing' identities { jwt { issuer: 'i' subject: 'billing' } } }",
         "pin { consumer: 'billing' service: 'greeter' expression: '^2' }",
         absl::StrCat("consumer { name: 'audit' identities { api_key_sha256: '",
                      Sha256Hex("s3cret"),
                      "' } identities { spiffe_uri: 'spiffe://corp/audit' } }"),
         "pin { consumer: 'audit' service: 'greeter' expression: '2.0.0' }"});
    ConnectTlsClient();
  }

  void UseKeys() {
    proxy_->SetIssuers(std::make_shared<const auth::Issuers>(
        auth::Issuers{{.name = "i", .keys = *auth::ParseKeySet(issuer_.Jwks())}}));
  }
  std::string Token(const std::string& subject, absl::Duration valid = absl::Minutes(10)) {
    return issuer_.Token(absl::StrCat("{\"iss\":\"i\",\"sub\":\"", subject, "\",\"exp\":",
                                      absl::ToUnixSeconds(world_.clock().Wall() + valid), "}"));
  }
  const CallRecord& CallWith(const testing::Metadata& metadata) {
    CallPlan plan = Plan();
    plan.metadata = metadata;
    entry_ = &Start(std::move(plan));
    Run();
    return entry_->record;
  }
  std::string Forwarded(const char* name) {
    if (entry_->attempts.empty()) return "no attempt";
    const std::string* value = testing::FindField(entry_->attempts.back()->metadata, name);
    return value == nullptr ? "" : *value;
  }
  static testing::Metadata Bearer(const std::string& token) {
    return {{"authorization", "Bearer " + token}};
  }
  void ExpectRefused(const testing::Metadata& metadata, const std::string& why) {
    const CallRecord& call = CallWith(metadata);
    EXPECT_EQ(call.grpc_status, 16) << why;
    EXPECT_TRUE(absl::StrContains(call.grpc_message, why)) << call.grpc_message;
    EXPECT_TRUE(entry_->attempts.empty());
  }

  const TokenIssuer issuer_{TokenIssuer::Kind::kEs256};
  CallBook::Entry* entry_ = nullptr;
};

TEST_F(CredentialTest, ATokenNamesItsConsumer) {
  const std::string token = Token("billing");
  EXPECT_EQ(VersionOf(CallWith(Bearer(token))), "2.0.0");
  EXPECT_EQ(Forwarded("authorization"), "");
  EXPECT_EQ(VersionOf(CallWith({{"authorization", "bearer  " + token}})), "2.0.0");
  EXPECT_EQ(proxy_->tokens().verified().value(), 1u);
  EXPECT_EQ(VersionOf(CallWith(Bearer(Token("nobody")))), "1.0.0") << "as the unregistered";
}

TEST_F(CredentialTest, AListenerMayForwardTokens) {
  listener_.forward_jwt = true;
  const std::string token = Token("billing");
  EXPECT_EQ(VersionOf(CallWith(Bearer(token))), "2.0.0");
  EXPECT_EQ(Forwarded("authorization"), "Bearer " + token);
}

TEST_F(CredentialTest, ABadTokenIsUnauthenticated) {
  ExpectRefused(Bearer(Token("billing", -absl::Minutes(5))), "the token expired at ");
  ExpectRefused(Bearer(Token("billing") + "x"), "the token");
  ExpectRefused(Bearer(issuer_.TokenWithHeader("{\"alg\":\"none\"}", "{\"iss\":\"i\"}")),
                "signed by neither RS256 nor ES256");
  testing::Metadata twice = Bearer(Token("billing"));
  twice.push_back(twice[0]);
  ExpectRefused(twice, "authorization came twice");
  // One that is no token is not taken for none.
  ExpectRefused({{"authorization", "Bearer"}}, "no token after Bearer");
  ExpectRefused({{"authorization", "Bearer\tx"}}, "the token is malformed");
  ExpectRefused(Bearer(std::string(limits::kJwtBytesMax + 1, 'x')), "longer than 8192 bytes");
}

// It is not the caller's fault: he may try again, and need not log in anew.
TEST_F(CredentialTest, WithoutKeysATokenIsNotRefusedForGood) {
  proxy_->SetIssuers(std::make_shared<const auth::Issuers>(auth::Issuers{{.name = "i"}}));
  const std::string token = Token("billing");
  EXPECT_EQ(CallWith(Bearer(token)).grpc_status, 14);
  EXPECT_TRUE(absl::StrContains(entry_->record.grpc_message, "keys of its issuer are not there"));
  EXPECT_TRUE(entry_->attempts.empty());
  UseKeys();
  EXPECT_EQ(VersionOf(CallWith(Bearer(token))), "2.0.0");
}

TEST_F(CredentialTest, AWithdrawnKeyEndsItsTokens) {
  const std::string token = Token("billing");
  EXPECT_EQ(VersionOf(CallWith(Bearer(token))), "2.0.0");
  const TokenIssuer other(TokenIssuer::Kind::kEs256, "other");
  proxy_->SetIssuers(std::make_shared<const auth::Issuers>(
      auth::Issuers{{.name = "i", .keys = *auth::ParseKeySet(other.Jwks())}}));
  ExpectRefused(Bearer(token), "a signature that its issuer's key did not make");
}

// Signatures are dear: a connection that brings ever new forgeries loses its right to try, and
// nobody else does.
TEST_F(CredentialTest, AFloodOfForgedTokensCostsOnlyItsOwnConnection) {
  const std::string known = Token("billing");
  EXPECT_EQ(VersionOf(CallWith(Bearer(known))), "2.0.0");
  const TokenIssuer forger(TokenIssuer::Kind::kEs256);
  const int64_t exp = absl::ToUnixSeconds(world_.clock().Wall() + absl::Hours(1));
  int unauthenticated = 0;
  int limited = 0;
  for (uint32_t i = 0; i < 2 * limits::kForgedTokenBurst; ++i) {
    const CallRecord& call = CallWith(
        Bearer(forger.Token(absl::StrCat(R"({"iss":"i","sub":")", i, R"(","exp":)", exp, "}"))));
    unauthenticated += call.grpc_status == 16 ? 1 : 0;
    limited += call.grpc_status == 8 ? 1 : 0;
  }
  EXPECT_EQ(unauthenticated, limits::kForgedTokenBurst);
  EXPECT_EQ(limited, limits::kForgedTokenBurst);
  EXPECT_EQ(proxy_->tokens().skipped().value(), limits::kForgedTokenBurst);
  EXPECT_EQ(VersionOf(CallWith(Bearer(known))), "2.0.0") << "a known one costs nothing";
  EXPECT_EQ(CallWith(Bearer(Token("late"))).grpc_status, 8);
  RunFor(absl::Seconds(1));
  EXPECT_EQ(VersionOf(CallWith(Bearer(Token("late")))), "1.0.0");
  ConnectTlsClient();
  EXPECT_EQ(VersionOf(CallWith(Bearer(Token("other")))), "1.0.0");
}

TEST_F(CredentialTest, ATokenThatExpiresWhileItIsKnownIsRefused) {
  const std::string token = Token("billing", absl::Minutes(1));
  EXPECT_EQ(VersionOf(CallWith(Bearer(token))), "2.0.0");
  RunFor(absl::Minutes(3));
  ExpectRefused(Bearer(token), "the token expired at ");
}

TEST_F(CredentialTest, OtherSchemesAreNotOurs) {
  EXPECT_EQ(VersionOf(CallWith({{"authorization", "Basic YTpi"}})), "1.0.0");
  EXPECT_EQ(Forwarded("authorization"), "Basic YTpi");
  listener_.jwt = false;
  EXPECT_EQ(VersionOf(CallWith(Bearer("whatever"))), "1.0.0");
  EXPECT_EQ(Forwarded("authorization"), "Bearer whatever");
}

TEST_F(CredentialTest, AnApiKeyNamesItsConsumerAndIsNotForwarded) {
  EXPECT_EQ(VersionOf(CallWith({{"x-api-key", "s3cret"}})), "2.0.0");
  EXPECT_EQ(Forwarded("x-api-key"), "");
  EXPECT_EQ(VersionOf(CallWith({{"x-api-key", "s3cret"}})), "2.0.0");
  ExpectRefused({{"x-api-key", "s3cre"}}, "the key in x-api-key belongs to no consumer");
  ExpectRefused({{"x-api-key", Sha256Hex("s3cret")}}, "belongs to no consumer");
  ExpectRefused({{"x-api-key", ""}}, "the header x-api-key has no key");
  ExpectRefused({{"x-api-key", std::string(limits::kApiKeyBytesMax + 1, 'k')}},
                "the key in x-api-key is longer than 256 bytes");
  ExpectRefused({{"x-api-key", "s3cret"}, {"x-api-key", "s3cret"}}, "x-api-key came twice");
}

TEST_F(CredentialTest, AListenerMayForwardKeys) {
  listener_.forward_api_key = true;
  EXPECT_EQ(VersionOf(CallWith({{"x-api-key", "s3cret"}})), "2.0.0");
  EXPECT_EQ(Forwarded("x-api-key"), "s3cret");
}

// Rotation: both are good for a while, then the old one is taken away.
TEST_F(CredentialTest, AKeyIsReplacedWhileCallsGoOn) {
  const auto keys = [](const std::string& each) {
    return absl::StrCat("identities { api_key_sha256: '", Sha256Hex(each), "' } ");
  };
  const auto works = [this](const char* key) {
    return CallWith({{"x-api-key", key}}).grpc_status == 0;
  };
  Put({absl::StrCat("consumer { name: 'audit' ", keys("s3cret"), keys("n3w"), "}")});
  EXPECT_TRUE(works("s3cret") && works("n3w"));
  Put({absl::StrCat("consumer { name: 'audit' ", keys("n3w"), "}")});
  EXPECT_TRUE(!works("s3cret") && works("n3w"));
}

// What a caller may see depends on who he is; whether the gateway is ready does not.
TEST_F(CredentialTest, ReflectionRefusesABadCredentialAndHealthDoesNot) {
  const auto ask = [this](const char* path) -> const CallRecord& {
    CallPlan plan = Plan();
    plan.path = path;
    plan.metadata = Bearer("junk");
    entry_ = &Start(std::move(plan));
    Run();
    return entry_->record;
  };
  const CallRecord& reflection = ask("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  EXPECT_EQ(reflection.grpc_status, 16);
  EXPECT_TRUE(absl::StrContains(reflection.grpc_message, "the token is malformed"));
  EXPECT_NE(ask("/grpc.health.v1.Health/Check").grpc_status, 16);
}

TEST_F(CredentialTest, TheCertificateComesFirstThenTheTokenThenTheKey) {
  const std::string billing = Token("billing");
  ConnectTlsClient({.uris = {"spiffe://corp/audit"}});
  // A token that is not looked at may be as bad as it likes; it is not forwarded either.
  const CallRecord& by_certificate = CallWith(Bearer("junk"));
  EXPECT_EQ(VersionOf(by_certificate), "2.0.0");
  EXPECT_EQ(Forwarded("authorization"), "");
  ConnectTlsClient({.uris = {"spiffe://corp/stranger"}});
  Put({"pin { consumer: 'audit' service: 'greeter' expression: '^1' }"});
  testing::Metadata both = Bearer(billing);
  both.emplace_back("x-api-key", "s3cret");
  EXPECT_EQ(VersionOf(CallWith(both)), "2.0.0") << "billing's";
  testing::Metadata unowned = Bearer(Token("nobody"));
  unowned.emplace_back("x-api-key", "s3cret");
  EXPECT_EQ(VersionOf(CallWith(unowned)), "1.0.0") << "audit's";
}

// Whoever is trusted to name others may not name himself another.
TEST_F(CredentialTest, AHeaderBesideAnOwnedTokenSaysNothing) {
  testing::Metadata metadata = Bearer(Token("billing"));
  metadata.emplace_back("api-consumer", "shipping");
  EXPECT_EQ(VersionOf(CallWith(metadata)), "2.0.0");
  EXPECT_EQ(Forwarded("api-consumer"), "");
}

TEST_F(CredentialTest, AMovedPinDrainsTheCallsOfAToken) {
  CallPlan plan = Plan(ResponsePlan::Kind::kNeverAnswer);
  plan.metadata = Bearer(Token("billing"));
  const CallRecord& call = Start(std::move(plan)).record;
  RunFor(absl::Seconds(1));
  Put({"pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { seconds: 5 } }"});
  RunFor(absl::Seconds(4));
  EXPECT_EQ(call.grpc_status, -1);
  RunFor(absl::Seconds(2));
  EXPECT_EQ(call.grpc_status, 14);
}

}  // namespace
}  // namespace pinion::proxy
