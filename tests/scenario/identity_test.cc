// Which of a caller's credentials counts, and what of them an instance hears.
#include <string>

#include "tests/scenario/tls_scenario.h"

namespace pinion::proxy {
namespace {

// `shipping` is pinned to ^1; these to ^2 or to nothing.
class IdentityTest : public TlsScenarioTest {
 protected:
  IdentityTest() {
    Put(
        {"consumer { name: 'billing' identities { spiffe_uri: 'spiffe://corp/billing' } "
         "identities { dns_san: 'billing.corp' } }",
         "pin { consumer: 'billing' service: 'greeter' expression: '^2' }",
         "consumer { name: 'audit' identities { dns_san: 'audit.corp' } }",
         "pin { consumer: 'audit' service: 'greeter' expression: '2.0.0' }"});
  }

  // A call with this header, or none when empty.
  const CallRecord& CallWith(const std::string& header) {
    CallPlan plan = Plan();
    plan.metadata.clear();
    if (!header.empty()) plan.metadata = {{"api-consumer", header}};
    CallBook::Entry& entry = Start(std::move(plan));
    Run();
    entry_ = &entry;
    return entry.record;
  }
  // What the instance that got it saw of the header.
  std::string Forwarded() {
    if (entry_->attempts.empty()) return "no attempt";
    const std::string* header =
        testing::FindField(entry_->attempts.back()->metadata, "api-consumer");
    return header == nullptr ? "" : *header;
  }

  CallBook::Entry* entry_ = nullptr;
};

TEST_F(IdentityTest, TheSpiffeIdComesFirstThenTheDnsNames) {
  ConnectTlsClient({.dns = {"audit.corp"}, .uris = {"spiffe://corp/billing"}});
  EXPECT_EQ(VersionOf(CallWith("")), "2.0.0");
  ConnectTlsClient({.dns = {"unknown.corp", "Audit.Corp"}, .uris = {"spiffe://corp/unknown"}});
  EXPECT_EQ(VersionOf(CallWith("")), "2.0.0");
  ConnectTlsClient({.dns = {"other.corp"}});
  EXPECT_EQ(VersionOf(CallWith("")), "1.0.0") << "nobody's: as the unregistered";
}

// Whoever is trusted to name others may not name himself another.
TEST_F(IdentityTest, AForgedHeaderBesideACertificateSaysNothing) {
  ConnectTlsClient({.uris = {"spiffe://corp/billing"}});
  EXPECT_EQ(VersionOf(CallWith("shipping")), "2.0.0");
  EXPECT_EQ(Forwarded(), "");
}

TEST_F(IdentityTest, ATrustedPeersHeaderCountsWhereNobodyOwnsTheCertificate) {
  ConnectTlsClient({.dns = {"sidecar.corp"}});
  EXPECT_EQ(VersionOf(CallWith("shipping")), "1.0.0");
  EXPECT_EQ(Forwarded(), "shipping");
}

TEST_F(IdentityTest, TheHeaderOfAPeerThatIsNotTrustedIsStripped) {
  listener_.trusted_peers.clear();
  ConnectTlsClient({.dns = {"sidecar.corp"}});
  CallWith("billing");
  EXPECT_EQ(VersionOf(entry_->record), "1.0.0") << "as the unregistered";
  EXPECT_EQ(Forwarded(), "");
}

TEST_F(IdentityTest, AHeaderThatCameTwiceIsRefused) {
  ConnectTlsClient();
  CallPlan plan = Plan();
  plan.metadata = {{"api-consumer", "shipping"}, {"api-consumer", "billing"}};
  const CallRecord& call = Start(std::move(plan)).record;
  Run();
  EXPECT_EQ(call.grpc_status, 16);
  EXPECT_EQ(call.grpc_message,
            "the header api-consumer names more than one consumer; send it once");
}

// The whole name, and nothing but it: "billing.corp" is in each of these.
TEST_F(IdentityTest, ANameIsComparedOverItsFullLength) {
  for (const char* name :
       {"billing.corp.evil.test", "evil-billing.corp", "billing.corp.", "billing"}) {
    ConnectTlsClient({.dns = {name}});
    EXPECT_EQ(VersionOf(CallWith("")), "1.0.0") << name;
  }
  for (const char* uri : {"spiffe://corp/billing/", "spiffe://corp/billing2",
                          "spiffe://corp/Billing", "https://corp/billing"}) {
    ConnectTlsClient({.uris = {uri}});
    EXPECT_EQ(VersionOf(CallWith("")), "1.0.0") << uri;
  }
}

TEST_F(IdentityTest, AmbiguousNamesAreRefusedInTheHandshake) {
  const testing::CertificateSpec ambiguous[] = {
      {.dns = {std::string("billing.corp\0.evil.test", 23)}},
      {.uris = {std::string("spiffe://corp/billing\0x", 23)}},
      {.uris = {"spiffe://corp/a", "spiffe://corp/billing"}}};
  uint64_t refused = 0;
  for (const testing::CertificateSpec& spec : ambiguous) {
    ConnectTlsClient(spec);
    const CallRecord& call = CallWith("");
    EXPECT_EQ(testing::FindField(call.headers, "api-version"), nullptr);
    const auto& failures = proxy_->tls().downstream.failures;
    EXPECT_EQ(failures[static_cast<size_t>(net::TlsFailure::kCertificate)].value(), ++refused);
  }
}

// Another table: the certificate is looked up again.
TEST_F(IdentityTest, AConsumerThatComesOrGoesIsNoticed) {
  ConnectTlsClient({.dns = {"late.corp"}});
  EXPECT_EQ(VersionOf(CallWith("")), "1.0.0");
  Put({"consumer { name: 'late' identities { dns_san: 'late.corp' } }",
       "pin { consumer: 'late' service: 'greeter' expression: '^2' }"});
  EXPECT_EQ(VersionOf(CallWith("")), "2.0.0");
  Put({"consumer { name: 'late' identities { dns_san: 'elsewhere.corp' } }"});
  EXPECT_EQ(VersionOf(CallWith("")), "1.0.0");
}

TEST_F(IdentityTest, AMovedPinDrainsTheCallsOfACertificate) {
  ConnectTlsClient({.uris = {"spiffe://corp/billing"}});
  CallPlan plan = Plan(ResponsePlan::Kind::kNeverAnswer);
  plan.metadata.clear();
  const CallRecord& call = Start(std::move(plan)).record;
  RunFor(absl::Seconds(1));
  Put({"pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { seconds: 5 } }"});
  RunFor(absl::Seconds(4));
  EXPECT_EQ(call.grpc_status, -1);
  RunFor(absl::Seconds(2));
  EXPECT_EQ(call.grpc_status, 14);
  EXPECT_EQ(call.grpc_message,
            "the pin has moved away from greeter 2.0.0 and its time to drain is over; call again");
}

TEST_F(IdentityTest, ARequiredConsumerMayComeByCertificate) {
  listener_.consumer_required = true;
  ConnectTlsClient({.uris = {"spiffe://corp/billing"}});
  EXPECT_EQ(VersionOf(CallWith("")), "2.0.0");
  ConnectTlsClient({.uris = {"spiffe://corp/stranger"}});
  EXPECT_EQ(CallWith("").grpc_status, 16);
}

}  // namespace
}  // namespace pinion::proxy
