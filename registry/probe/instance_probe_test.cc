#include "registry/probe/instance_probe.h"

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/parsed_schema.h"
#include "tests/testing/probed_server.h"
#include "tests/testing/temp_directory.h"

namespace pinion::probe {
namespace {

using ::testing::HasSubstr;
using testing::ProbedBehaviour;
using testing::ProbedServer;
using Spite = ProbedBehaviour::Spite;
using Health = ProbedBehaviour::Health;

constexpr char kService[] = "acme.v1.AddressBook";

google::protobuf::FileDescriptorSet AddressBook() {
  google::protobuf::FileDescriptorSet set = testing::ParsedSchema(
      "service AddressBook { rpc Get(Contact) returns (Contact); } message Contact { string name = "
      "1; }");
  set.mutable_file(0)->add_dependency("b.proto");
  auto* imported = set.add_file();
  imported->set_name("b.proto");
  imported->add_dependency("c.proto");
  set.add_file()->set_name("c.proto");
  return set;
}

class InstanceProbeTest : public ::testing::Test {
 protected:
  static Question Of(const ProbedServer& server, Question::Schema schema = Question::Schema::kYes) {
    Question question{.grpc_services = {kService}, .schema = schema};
    question.instance.set_service("addressbook");
    question.instance.set_version("1.0.0");
    question.instance.set_uid(absl::StrCat("uid-", server.port()));
    *question.instance.mutable_address() = server.address();
    return question;
  }
  static std::string Message(const absl::Status& status) { return std::string(status.message()); }
  // What it answers instead of its schema.
  std::string Instead(const ProbedServer& server) {
    const Answer answer = probe_.Ask(Of(server));
    EXPECT_TRUE(answer.reached.ok()) << answer.reached;
    return answer.shown.has_value() ? Message(answer.shown->status()) : "not asked";
  }

  InstanceProbe probe_{{.timeout = absl::Seconds(20)}};
};

TEST_F(InstanceProbeTest, AServerThatServesAndShowsItsSchema) {
  for (const bool only_v1alpha : {false, true}) {
    for (const bool one_at_a_time : {false, true}) {
      const ProbedServer server({.schema = AddressBook(),
                                 .only_v1alpha = only_v1alpha,
                                 .one_file_at_a_time = one_at_a_time});
      const Answer answer = probe_.Ask(Of(server));
      ASSERT_TRUE(answer.reached.ok()) << answer.reached;
      EXPECT_EQ(answer.not_serving, "");
      ASSERT_TRUE(answer.shown.has_value() && answer.shown->ok());
      EXPECT_EQ((*answer.shown)->file_size(), 3);
    }
  }
}

TEST_F(InstanceProbeTest, NoHealthServiceIsNoOpinion) {
  const ProbedServer server({.has_health = false, .schema = AddressBook()});
  const Answer answer = probe_.Ask(Of(server));
  EXPECT_TRUE(answer.reached.ok());
  EXPECT_EQ(answer.not_serving, "");
  EXPECT_TRUE(answer.shown.has_value() && answer.shown->ok());
}

TEST_F(InstanceProbeTest, NotServingAsAWholeOrForTheVersionsServices) {
  ProbedServer server({.health = {{"", Health::NOT_SERVING}}});
  EXPECT_EQ(probe_.Ask(Of(server)).not_serving, "says that it does not serve");
  server.Behave({.health = {{"", Health::SERVING}, {kService, Health::NOT_SERVING}}});
  EXPECT_EQ(probe_.Ask(Of(server)).not_serving, "says that it does not serve acme.v1.AddressBook");
  server.Behave({.health = {{"", Health::SERVING}, {"acme.v1.Other", Health::NOT_SERVING}}});
  EXPECT_EQ(probe_.Ask(Of(server)).not_serving, "");
}

TEST_F(InstanceProbeTest, NobodyThere) {
  auto server = std::make_unique<ProbedServer>(ProbedBehaviour());
  const Question question = Of(*server);
  server.reset();
  EXPECT_EQ(Message(probe_.Ask(question).reached),
            "does not answer the registry: Connection refused");
}

TEST_F(InstanceProbeTest, WithoutReflectionAndWithASchemaThatIsNotWhole) {
  ProbedServer server({});
  const Answer answer = probe_.Ask(Of(server));
  ASSERT_TRUE(answer.shown.has_value());
  EXPECT_TRUE(absl::IsUnimplemented(answer.shown->status()));
  EXPECT_EQ(Instead(server), "offers no reflection");
  ProbedBehaviour half{.schema = AddressBook(), .one_file_at_a_time = true};
  half.schema->mutable_file()->RemoveLast();
  server.Behave(half);
  EXPECT_EQ(Instead(server), "shows no c.proto, which its files import");
  ProbedBehaviour other{.schema = testing::ParsedSchema("message Contact { string name = 1; }")};
  server.Behave(other);
  const Answer none = probe_.Ask(Of(server));
  ASSERT_TRUE(none.shown->ok()) << none.shown->status();
  EXPECT_EQ((*none.shown)->file_size(), 0) << "it has no such service: the comparison says so";
}

TEST_F(InstanceProbeTest, HostileReflectionIsBounded) {
  ProbedServer server({.spite = Spite::kGarbage});
  EXPECT_EQ(Instead(server), "answers reflection with what is no descriptor of a file");
  server.Behave({.spite = Spite::kEndless});
  EXPECT_EQ(Instead(server), "shows more of a schema than can be published");
  EXPECT_LT(server.schema_questions(), 5000);
  server.Behave({.spite = Spite::kHuge});
  EXPECT_EQ(Instead(server), "shows more of a schema than can be published");
}

TEST_F(InstanceProbeTest, SilenceEndsWithTheTime) {
  InstanceProbe impatient({.timeout = absl::Milliseconds(300)});
  const ProbedServer server({.spite = Spite::kSilent});
  const Answer answer = impatient.Ask(Of(server));
  ASSERT_TRUE(answer.shown.has_value());
  EXPECT_EQ(Message(answer.shown->status()), "does not show its schema in time");
}

TEST_F(InstanceProbeTest, TheSchemaIsAskedForAgainWhereTheConnectionWasLost) {
  ProbedServer server({.schema = AddressBook()});
  const Question question = Of(server, Question::Schema::kIfReconnected);
  EXPECT_FALSE(probe_.Ask(question).shown.has_value()) << "nothing was known of it before";
  EXPECT_FALSE(probe_.Ask(question).shown.has_value()) << "the same connection";
  server.Restart({.schema = AddressBook()});
  // gRPC notices the lost connection when it does: either before it is asked, or by a failure.
  Answer answer = probe_.Ask(question);
  if (answer.reached.ok()) {
    EXPECT_TRUE(answer.shown.has_value());
  }
}

TEST_F(InstanceProbeTest, StoppingCutsShort) {
  const ProbedServer server({.schema = AddressBook()});
  probe_.Stop();
  EXPECT_FALSE(probe_.Ask(Of(server)).reached.ok());
}

TEST_F(InstanceProbeTest, OverTlsItMustProveItsName) {
  const testing::TempDirectory directory;
  const testing::CertificateAuthority ca;
  const std::string ca_file = ca.Write(directory.path(), "ca");
  const auto files = ca.Issue(directory.path(), "server", {.dns = {"book.acme.example"}});
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs = {
      {testing::ReadFile(files.private_key), testing::ReadFile(files.certificate_chain)}};
  const ProbedServer server({.schema = AddressBook()}, grpc::SslServerCredentials(options));
  InstanceProbe probe({.timeout = absl::Seconds(20), .tls = {{.trusted_ca = ca_file}}});
  Question question = Of(server);
  question.instance.set_tls_name("book.acme.example");
  const Answer good = probe.Ask(question);
  EXPECT_TRUE(good.reached.ok()) << good.reached;
  question.instance.set_tls_name("other.acme.example");
  EXPECT_FALSE(probe.Ask(question).reached.ok()) << "another name than the kept connection's";
  question.instance.clear_tls_name();
  EXPECT_FALSE(probe.Ask(question).reached.ok()) << "not without TLS";
  InstanceProbe unreadable({.tls = {{.trusted_ca = "/nowhere/ca.crt"}}});
  question.instance.set_tls_name("book.acme.example");
  EXPECT_THAT(Message(unreadable.Ask(question).reached),
              HasSubstr("the registry cannot read /nowhere/ca.crt"));
}

}  // namespace
}  // namespace pinion::probe
