// Odd cases of who may do what: the matrix of all methods is in access_matrix_test.
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/access_world.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AccessServerTest : public AccessWorld {
 protected:
  void SetUp() override { Start(); }

  v1::WhoAmIResponse WhoIs(const std::shared_ptr<grpc::Channel>& channel,
                           const std::string& token = "") {
    v1::WhoAmIResponse response;
    const grpc::Status status =
        Call(channel, Access("WhoAmI"), v1::WhoAmIRequest(), &response, token);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // What reading comes to.
  static grpc::Status ReadWith(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& token = "") {
    return Call(channel, Registry("ListServices"), v1::ListServicesRequest(), nullptr, token);
  }
  grpc::Status Update(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                      const std::string& more, const std::string& token = "") {
    return Call(channel, Registry("UpdateService"),
                FromText<v1::UpdateServiceRequest>("name: '" + service + "' " + more), nullptr,
                token);
  }
  grpc::Status Create(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                      const std::string& owner, const std::string& token) {
    v1::CreateServiceRequest request;
    request.mutable_service()->set_name(service);
    request.mutable_service()->set_scheme(routing::v1::SEMVER);
    request.set_owner(owner);
    return Call(channel, Registry("CreateService"), request, nullptr, token);
  }
};

TEST_F(AccessServerTest, TheFirstOperatorComesByTheSocketOrByTheConfiguration) {
  EXPECT_EQ(WhoIs(local_).actor(), "local");
  EXPECT_TRUE(WhoIs(local_).operator_());
  const auto ops = ConnectAs({.uris = {"spiffe://acme/ops"}});
  EXPECT_TRUE(WhoIs(ops).operator_());
  EXPECT_EQ(
      OutcomeOf(Call(ops, Access("CreateToken"), FromText<v1::CreateTokenRequest>("name: 'ci'"))),
      "OK");
  EXPECT_EQ(NewestAudit().actor(), "spiffe://acme/ops") << "whatever the metadata claims";
  EXPECT_EQ(NewestAudit().new_value().find("pinion_"), std::string::npos) << "no secret is kept";
  EXPECT_EQ(NewestAudit().new_value().find("sha256"), std::string::npos);
}

TEST_F(AccessServerTest, ATokenIsWhoOneIsAlsoWithACertificateOrOnTheSocket) {
  const std::string token = NewToken("ci");
  EXPECT_EQ(WhoIs(ConnectAs({.uris = {"spiffe://acme/ops"}}), token).actor(), "token:ci");
  EXPECT_EQ(WhoIs(local_, token).actor(), "token:ci");
  EXPECT_EQ(OutcomeOf(ReadWith(local_, "pinion_bad")), "UNAUTHENTICATED CREDENTIAL_INVALID")
      << "what is bad is not made up for by the socket";
  EXPECT_EQ(OutcomeOf(ReadWith(ConnectAs({.uris = {"spiffe://acme/ops"}}), "x.y.z")),
            "UNAUTHENTICATED CREDENTIAL_INVALID");
  EXPECT_EQ(WhoIs(Connect(), token).expire_time().seconds(),
            absl::ToUnixSeconds(clock_.Wall()) + 86400);
}

TEST_F(AccessServerTest, NamesOfCertificatesCountInFull) {
  EXPECT_THAT(WhoIs(ConnectAs({.dns = {"A.acme", "b.acme"}})).subjects(),
              ElementsAre("dns:a.acme", "dns:b.acme"));
  EXPECT_THAT(WhoIs(ConnectAs({.dns = {"a.acme"}, .uris = {"spiffe://acme/x"}})).subjects(),
              ElementsAre("spiffe://acme/x"));
  // Who stops at the NUL takes this for the operator.
  const std::string nul("spiffe://acme/ops\0.evil", 23);
  const grpc::Status status = ReadWith(ConnectAs({.uris = {nul}}));
  EXPECT_EQ(OutcomeOf(status), "UNAUTHENTICATED CREDENTIAL_INVALID");
  EXPECT_THAT(status.error_message(), HasSubstr("has a NUL in it"));
  EXPECT_EQ(OutcomeOf(ReadWith(ConnectAs({.uris = {"spiffe://acme/x", "spiffe://acme/ops"}}))),
            "UNAUTHENTICATED CREDENTIAL_INVALID");
  EXPECT_EQ(OutcomeOf(ReadWith(ConnectAs({.dns = {}, .uris = {}}))),
            "UNAUTHENTICATED CREDENTIAL_INVALID")
      << "a common name is nobody";
  EXPECT_EQ(OutcomeOf(ReadWith(ConnectAs({.uris = {"spiffe://acme/\n"}}))),
            "UNAUTHENTICATED CREDENTIAL_INVALID");
}

TEST_F(AccessServerTest, CertificatesThatAreNotGood) {
  EXPECT_EQ(
      ReadWith(ConnectAs({.uris = {"spiffe://acme/ops"}, .valid = -absl::Hours(1)})).error_code(),
      grpc::StatusCode::UNAVAILABLE)
      << "refused by the handshake";
  const testing::CertificateAuthority other("Other CA");
  EXPECT_EQ(ReadWith(Connect(other.Issue(dir_.path(), "forged", {.uris = {"spiffe://acme/ops"}})))
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
  const auto connection = ConnectAs({.uris = {"spiffe://acme/ops"}});
  EXPECT_EQ(OutcomeOf(ReadWith(connection)), "OK");
  clock_.Advance(absl::Hours(25));
  const grpc::Status later = ReadWith(connection);
  EXPECT_EQ(OutcomeOf(later), "UNAUTHENTICATED CREDENTIAL_INVALID")
      << "the connection has outlived its certificate";
  EXPECT_THAT(later.error_message(), HasSubstr("expired at"));
}

TEST_F(AccessServerTest, TokensOfIssuers) {
  const auto channel = Connect();
  EXPECT_THAT(WhoIs(channel, Jwt("ann", ",\"groups\":[\"devs\",\"a\\nb\"]")).subjects(),
              ElementsAre("jwt:https://issuer#ann", "group:https://issuer#devs"));
  EXPECT_EQ(OutcomeOf(ReadWith(channel, Jwt("ann", ",\"groups\":[\"devs\"]"))),
            "PERMISSION_DENIED ACCESS_DENIED");
  Grant("subject: 'group:https://issuer#devs' role: READER");
  EXPECT_EQ(OutcomeOf(ReadWith(channel, Jwt("ann", ",\"groups\":[\"devs\"]"))), "OK");
  EXPECT_EQ(OutcomeOf(ReadWith(channel, Jwt("ann"))), "PERMISSION_DENIED ACCESS_DENIED")
      << "she has left the group";
  EXPECT_EQ(OutcomeOf(ReadWith(channel, Jwt("a\\nb"))), "UNAUTHENTICATED CREDENTIAL_INVALID");
  const std::string token = Jwt("ann", ",\"groups\":[\"devs\"]");
  clock_.Advance(absl::Hours(2));
  const grpc::Status expired = ReadWith(channel, token);
  EXPECT_EQ(OutcomeOf(expired), "UNAUTHENTICATED CREDENTIAL_INVALID");
  EXPECT_THAT(expired.error_message(), HasSubstr("expired at"));
}

TEST_F(AccessServerTest, AConsumerIsWhoHasOneOfItsIdentities) {
  CreateConsumer(
      "name: 'billing' identities { spiffe_uri: 'spiffe://acme/billing' } "
      "identities { jwt { issuer: 'https://issuer' subject: 'billing' } }",
      "pay");
  CreateConsumer("name: 'shipping'", "pay");
  const auto billing = ConnectAs({.uris = {"spiffe://acme/billing"}});
  EXPECT_THAT(WhoIs(billing).consumers(), ElementsAre("billing"));
  EXPECT_EQ(OutcomeOf(ReadWith(billing)), "OK") << "a consumer reads";
  const auto unset = [](const std::string& consumer) {
    return FromText<v1::UnsetPinRequest>("service: 'x' consumer: '" + consumer + "'");
  };
  EXPECT_EQ(OutcomeOf(Call(billing, Registry("UnsetPin"), unset("billing"))),
            "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(OutcomeOf(Call(billing, Registry("UnsetPin"), unset("shipping"))),
            "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_EQ(
      OutcomeOf(Call(Connect(), Registry("UnsetPin"), unset("billing"), nullptr, Jwt("billing"))),
      "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(OutcomeOf(Call(billing, Registry("UpdateConsumer"),
                           FromText<v1::UpdateConsumerRequest>("consumer { name: 'billing' }"))),
            "PERMISSION_DENIED ACCESS_DENIED")
      << "who it is, its owner says";
}

TEST_F(AccessServerTest, WhatAnOwnerCreatesBelongsToTheOwner) {
  Grant("subject: 'token:ci' role: OWNER name: 'pay' creates: 'pay/*'");
  const std::string ci = NewToken("ci");
  const auto channel = Connect();
  EXPECT_EQ(OutcomeOf(Create(channel, "pay/api", "", ci)), "OK");
  EXPECT_EQ(ServiceNow("pay/api").meta().owner(), "pay");
  EXPECT_EQ(ServiceNow("pay/api").meta().created_by(), "token:ci");
  EXPECT_EQ(OutcomeOf(Create(channel, "pay/other", "ship", ci)), "PERMISSION_DENIED ACCESS_DENIED")
      << "in the name of somebody else";
  const grpc::Status outside = Create(channel, "ship/api", "", ci);
  EXPECT_EQ(OutcomeOf(outside), "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_THAT(outside.error_message(), HasSubstr("access grant owner NAME --create 'ship/api'"));
  // A second grant makes it ambiguous who a new service is for, until the request says so.
  Grant("subject: 'token:ci' role: OWNER name: 'bank' creates: 'pay/*'");
  EXPECT_EQ(OutcomeOf(Create(channel, "pay/two", "", ci)), "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_EQ(OutcomeOf(Create(channel, "pay/two", "bank", ci)), "OK");
  v1::PublishVersionRequest publish;
  publish.set_service("pay/three");
  publish.set_name("1.0.0");
  publish.set_owner("pay");
  EXPECT_EQ(OutcomeOf(Call(channel, Registry("PublishVersion"), publish, nullptr, ci)), "OK");
  EXPECT_EQ(ServiceNow("pay/three").meta().owner(), "pay");
}

TEST_F(AccessServerTest, WhoHasTheObjectNowMayChangeItAndNotWhoMadeIt) {
  Grant("subject: 'token:ci' role: OWNER name: 'pay' creates: 'pay/*'");
  Grant("subject: 'token:ship' role: OWNER name: 'ship'");
  const std::string ci = NewToken("ci");
  const std::string ship = NewToken("ship");
  const auto channel = Connect();
  ASSERT_EQ(OutcomeOf(Create(channel, "pay/api", "", ci)), "OK");
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "description: 'x'", ship)),
            "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "owner: 'ship'", ci)), "OK") << "given away";
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "description: 'x'", ci)),
            "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "description: 'x'", ship)), "OK");
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "owner: 'token:ci'", ship)), "OK");
  EXPECT_EQ(OutcomeOf(Update(channel, "pay/api", "description: 'y'", ci)), "OK")
      << "an owner may also be a subject itself";
}

TEST_F(AccessServerTest, GrantsHoldFromTheNextCallOn) {
  CreateService("api", "pay");
  const std::string ci = NewToken("ci");
  const auto channel = Connect();
  EXPECT_EQ(OutcomeOf(ReadWith(channel, ci)), "PERMISSION_DENIED ACCESS_DENIED");
  Grant("subject: 'token:ci' role: OWNER name: 'pay'");
  Grant("subject: 'token:ci' role: READER");
  EXPECT_EQ(OutcomeOf(Update(channel, "api", "description: '1'", ci)), "OK");
  Revoke("subject: 'token:ci' role: OWNER name: 'pay'");
  EXPECT_EQ(OutcomeOf(Update(channel, "api", "description: '2'", ci)),
            "PERMISSION_DENIED ACCESS_DENIED");
  EXPECT_EQ(OutcomeOf(ReadWith(channel, ci)), "OK") << "the other grant is as it was";
  Prepare(Access("RevokeToken"), FromText<v1::RevokeTokenRequest>("name: 'ci'"));
  EXPECT_EQ(OutcomeOf(ReadWith(channel, ci)), "UNAUTHENTICATED CREDENTIAL_INVALID");
  const std::string again = NewToken("ci");
  EXPECT_EQ(OutcomeOf(ReadWith(channel, again)), "OK") << "a token of the same name has its grants";
  EXPECT_EQ(OutcomeOf(ReadWith(channel, ci)), "UNAUTHENTICATED CREDENTIAL_INVALID");
}

// In the moment of each change itself: whoever loses a grant while the change is drafted cannot
// commit it any more.
TEST_F(AccessServerTest, NothingIsChangedWithAGrantThatIsGone) {
  CreateService("api", "pay");
  const std::string ci = NewToken("ci");
  Grant("subject: 'token:ci' role: OWNER name: 'pay'");
  std::thread changes([this, &ci] {
    const auto channel = Connect();
    for (int i = 0; Update(channel, "api", absl::StrCat("description: '", i, "'"), ci).ok(); ++i) {
    }
  });
  v1::Service service;
  do {
    service = ServiceNow("api");
  } while (service.description() < "3");
  Revoke("subject: 'token:ci' role: OWNER name: 'pay'");
  const int64_t revoked_at =
      NewestAudit().command() == "access.revoke" ? NewestAudit().revision() : 0;
  changes.join();
  EXPECT_GT(revoked_at, 0);
  EXPECT_LT(ServiceNow("api").meta().revision(), revoked_at);
}

TEST_F(AccessServerTest, AWatchEndsWhenItsGatewayMayNotFollowAnyMore) {
  Grant("subject: 'token:edge' role: GATEWAY");
  const std::string token = NewToken("edge");
  for (const bool of_token : {false, true}) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    const auto stub = v1::RoutingWatch::NewStub(Connect());
    const auto stream = stub->Watch(&context, FromText<v1::WatchRequest>("gateway_id: 'edge'"));
    v1::WatchResponse message;
    ASSERT_TRUE(stream->Read(&message));
    if (of_token) {
      Prepare(Access("RevokeToken"), FromText<v1::RevokeTokenRequest>("name: 'edge'"));
    } else {
      Revoke("subject: 'token:edge' role: GATEWAY");
    }
    clock_.Advance(absl::Seconds(2));
    while (stream->Read(&message)) {
    }
    EXPECT_EQ(OutcomeOf(stream->Finish()),
              of_token ? "UNAUTHENTICATED CREDENTIAL_INVALID" : "PERMISSION_DENIED ACCESS_DENIED");
    Grant("subject: 'token:edge' role: GATEWAY");
  }
}

TEST_F(AccessServerTest, RefusalsAreCounted) {
  ReadWith(Connect());
  ReadWith(Connect(), "pinion_bad");
  ReadWith(Connect(), NewToken("nobody"));
  v1::ListGrantsResponse list;
  Prepare(Access("ListGrants"), v1::ListGrantsRequest(), &list);
  EXPECT_EQ(list.unauthenticated(), 2);
  EXPECT_EQ(list.denied(), 1);
}

TEST_F(AccessServerTest, JobsAreWhoMayChangeTheirPins) {
  Grant("subject: 'token:ci' role: OWNER name: 'pay'");
  CreateConsumer("name: 'billing'", "pay");
  CreateService("api", "pay");
  const std::string ci = NewToken("ci");
  const auto channel = Connect();
  auto one = FromText<v1::StartJobRequest>(
      "set_pin { pin { consumer: 'billing' service: 'api' expression: '^1' } }");
  one.mutable_start_time()->set_seconds(absl::ToUnixSeconds(clock_.Wall()) + 3600);
  v1::Job job;
  ASSERT_EQ(OutcomeOf(Call(channel, Registry("StartJob"), one, &job, ci)), "OK");
  v1::CancelJobRequest cancel;
  cancel.set_id(job.id());
  EXPECT_EQ(OutcomeOf(Call(channel, Registry("CancelJob"), cancel, nullptr, ci)), "OK");
  v1::StartJobRequest undo;
  undo.mutable_undo_job()->set_id(job.id());
  EXPECT_EQ(OutcomeOf(Call(channel, Registry("StartJob"), undo, nullptr, ci)), "OK");
  auto all = FromText<v1::StartJobRequest>("move_pins { service: 'api' from: '^1' to: '^2' }");
  all.mutable_start_time()->set_seconds(absl::ToUnixSeconds(clock_.Wall()) + 3600);
  EXPECT_EQ(OutcomeOf(Call(channel, Registry("StartJob"), all, nullptr, ci)),
            "PERMISSION_DENIED ACCESS_DENIED")
      << "the service is pay's own, the pins of all its consumers are not";
  Prepare(Registry("StartJob"), all, &job);
  undo.mutable_undo_job()->set_id(job.id());
  EXPECT_EQ(OutcomeOf(Call(channel, Registry("StartJob"), undo, nullptr, ci)),
            "PERMISSION_DENIED ACCESS_DENIED");
}

TEST_F(AccessServerTest, AJobEndsWithTheGrantThatItWasStartedWith) {
  Grant("subject: 'token:ci' role: OWNER name: 'pay'");
  CreateConsumer("name: 'billing'", "pay");
  CreateService("api", "pay");
  auto start = FromText<v1::StartJobRequest>(
      "set_pin { pin { consumer: 'billing' service: 'api' expression: '^1' } }");
  start.mutable_start_time()->set_seconds(absl::ToUnixSeconds(clock_.Wall()) + 3600);
  v1::Job by_token, by_operator;
  ASSERT_EQ(OutcomeOf(Call(Connect(), Registry("StartJob"), start, &by_token, NewToken("ci"))),
            "OK");
  Prepare(Registry("StartJob"), start, &by_operator);
  Revoke("subject: 'token:ci' role: OWNER name: 'pay'");
  clock_.Advance(absl::Hours(1));
  const auto ended = [this](int64_t id) {
    v1::GetJobRequest get;
    get.set_id(id);
    v1::Job job;
    do {
      Prepare(Registry("GetJob"), get, &job);
    } while (!job.has_end_time() && !HasFatalFailure());
    return job;
  };
  const v1::Job cancelled = ended(by_token.id());
  EXPECT_EQ(cancelled.state(), v1::Job::CANCELLED);
  ASSERT_EQ(cancelled.failures_size(), 1);
  EXPECT_THAT(cancelled.failures(0).message(), HasSubstr("has lost the right to: token:ci"));
  EXPECT_EQ(ended(by_operator.id()).state(), v1::Job::DONE) << "who still may is not asked about";
}

TEST_F(AccessServerTest, ANewCertificateIsTakenWithoutARestart) {
  ASSERT_TRUE(ReadWith(ConnectAs({.uris = {"spiffe://acme/ops"}})).ok());
  const testing::CertificateAuthority next("Next CA");
  next.Issue(dir_.path(), "server", {.ips = {"127.0.0.1"}});
  ca_file_ = next.Write(dir_.path(), "next");
  // gRPC looks at the files once a second.
  const auto connects = [this] {
    return ReadWith(Connect()).error_code() == grpc::StatusCode::UNAUTHENTICATED;
  };
  bool taken = false;
  for (int i = 0; i < 2000 && !taken; ++i) taken = connects();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace pinion::service
