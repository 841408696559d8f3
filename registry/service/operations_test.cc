// Services, versions, instances, consumers, channels, the audit log: what each operation does and
// refuses.
#include "registry/service/operations.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OperationsTest : public RegistryFixture {};

TEST_F(OperationsTest, PublishingMakesTheService) {
  const auto response = Publish("addressbook", "1.0.0", DescriptorSetOf({"acme.AddressBook"}));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->created());
  EXPECT_TRUE(response->service_created());
  EXPECT_EQ(response->version().version().state(), routing::v1::PUBLISHED);
  EXPECT_EQ(response->version().version().methods(0).grpc_service(), "acme.AddressBook");
  EXPECT_EQ(response->version().meta().owner(), "ann");
  EXPECT_EQ(response->version().meta().revision(), store_.revision());
  const auto service = Call(GetService, R"(name: "addressbook")");
  EXPECT_EQ(service->service().scheme(), routing::v1::SEMVER);
  EXPECT_THAT(service->service().grpc_services(), ElementsAre("acme.AddressBook"));
  EXPECT_EQ(NewestAudit().command(), "version.publish");
  EXPECT_EQ(NewestAudit().actor(), "ann");
  EXPECT_EQ(NewestAudit().revision(), store_.revision());
}

TEST_F(OperationsTest, VersionsNeverChange) {
  const std::string schema = DescriptorSetOf({"acme.AddressBook"});
  ASSERT_TRUE(Publish("addressbook", "1.0.0", schema).ok());
  const store::Revision before = store_.revision();
  const auto again = Publish("addressbook", "1.0.0", schema);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->created());
  EXPECT_EQ(store_.revision(), before) << "the same again is no change";
  for (const std::string& other : {DescriptorSetOf({"acme.AddressBook"}, 2), std::string(),
                                   DescriptorSetOf({"acme.AddressBook", "acme.More"})}) {
    EXPECT_EQ(Outcome(Publish("addressbook", "1.0.0", other).status()),
              "ALREADY_EXISTS VERSION_EXISTS");
  }
  const auto stored = Call(GetVersionSchema, R"(service: "addressbook" name: "1.0.0")");
  EXPECT_EQ(stored->descriptor_set(), schema);
  ASSERT_TRUE(Call(RetireVersion, R"(service: "addressbook" name: "1.0.0")").ok());
  EXPECT_EQ(Outcome(Publish("addressbook", "1.0.0", schema).status()),
            "FAILED_PRECONDITION VERSION_RETIRED");
}

TEST_F(OperationsTest, LargeDescriptorSetsAreKeptInParts) {
  google::protobuf::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromString(DescriptorSetOf({"acme.AddressBook"})));
  set.mutable_file(0)->mutable_source_code_info()->add_location()->set_leading_comments(
      std::string(3 << 20, 'c'));
  ASSERT_TRUE(Publish("addressbook", "1.0.0", set.SerializeAsString()).ok());
  EXPECT_EQ(Call(GetVersionSchema, R"(service: "addressbook" name: "1.0.0")")->descriptor_set(),
            set.SerializeAsString());
}

TEST_F(OperationsTest, PublishRefusals) {
  SetUpAddressBook();
  const struct {
    std::string service, version, set, outcome, message;
  } kCases[] = {
      {"Address Book", "1.0.0", "", "INVALID_ARGUMENT NAME_MALFORMED", "service name"},
      {"addressbook", "2026-01-01", "", "INVALID_ARGUMENT NAME_MALFORMED", ""},
      {"addressbook", "1", "", "INVALID_ARGUMENT NAME_MALFORMED", ""},
      {"new", "one", "", "INVALID_ARGUMENT NAME_MALFORMED", "state the service's scheme"},
      {"addressbook", "2.0.0", "nonsense", "INVALID_ARGUMENT DESCRIPTOR_SET_MALFORMED",
       "--include_imports"},
      {"thief", "1.0.0", DescriptorSetOf({"acme.AddressBook"}), "ALREADY_EXISTS GRPC_SERVICE_TAKEN",
       "belongs to service 'addressbook'"},
  };
  for (const auto& c : kCases) {
    const store::Revision before = store_.revision();
    const absl::Status status = Publish(c.service, c.version, c.set).status();
    EXPECT_EQ(Outcome(status), c.outcome) << c.service << " " << c.version;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    if (c.outcome.find("TAKEN") != std::string::npos) continue;  // its descriptor set is kept
    EXPECT_EQ(store_.revision(), before);
  }
  EXPECT_EQ(Outcome(Call(GetService, R"(name: "thief")").status()), "NOT_FOUND SERVICE_UNKNOWN");
}

TEST_F(OperationsTest, SchemesComeFromTheNameOrTheRequest) {
  ASSERT_TRUE(Publish("db/people", "7").ok());
  EXPECT_EQ(Call(GetService, R"(name: "db/people")")->service().scheme(), routing::v1::INTEGER);
  ASSERT_TRUE(Call(PublishVersion, R"(service: "k" name: "foo1" scheme: K8S)").ok());
  EXPECT_EQ(Call(GetService, R"(name: "k")")->service().scheme(), routing::v1::K8S);
}

TEST_F(OperationsTest, RequirementsNameWhatExists) {
  SetUpAddressBook();
  const std::string head = R"(service: "web" name: "1.0.0" requirements { service: )";
  EXPECT_EQ(Outcome(Call(PublishVersion, head + R"("adressbook" expression: "^1" })").status()),
            "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(Outcome(Call(PublishVersion, head + R"("addressbook" expression: "1" })").status()),
            "INVALID_ARGUMENT PIN_MALFORMED");
  EXPECT_TRUE(Call(PublishVersion, head + R"("addressbook" expression: "^1" })").ok());
}

TEST_F(OperationsTest, TheFirstInstanceActivates) {
  ASSERT_TRUE(Publish("addressbook", "1.0.0").ok());
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  const auto first = Register("addressbook", "1.0.0", 9001);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->activated());
  EXPECT_THAT(first->channels(), ElementsAre("stable"));
  EXPECT_FALSE(Register("addressbook", "1.0.0", 9002)->activated());
  const auto second = Register("addressbook", "1.1.0", 9003);
  EXPECT_TRUE(second->activated());
  EXPECT_THAT(second->channels(), IsEmpty()) << "only owners move stable";
  EXPECT_EQ(Call(ListChannels, R"(service: "addressbook")")->channels(0).channel().version(),
            "1.0.0");
  const auto versions = Call(ListVersions, R"(service: "addressbook")");
  EXPECT_EQ(versions->versions(0).version().name(), "1.1.0") << "newest first";
  EXPECT_EQ(versions->versions(1).version().state(), routing::v1::ACTIVE);
}

TEST_F(OperationsTest, VersionsOfAllServicesAreNewestFirstWithinEach) {
  for (const char* name : {"1.9.0", "1.10.0", "2.0.0"}) ASSERT_TRUE(Publish("b", name).ok());
  for (const char* name : {"v1", "v1beta1", "v2"}) ASSERT_TRUE(Publish("a", name).ok());
  ASSERT_TRUE(Publish("c", "7").ok());
  std::vector<std::string> all;
  v1::ListVersionsRequest request;
  request.set_page_size(2);
  int pages = 0;
  do {
    const auto page = service::Run(*registry_, ListVersions, ann_, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& each : page->versions()) {
      all.push_back(absl::StrCat(each.version().service(), " ", each.version().name()));
    }
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_THAT(all,
              ElementsAre("a v2", "a v1", "a v1beta1", "b 2.0.0", "b 1.10.0", "b 1.9.0", "c 7"));
  EXPECT_EQ(pages, 3) << "a service is never split";
  request.set_page_size(-1);
  EXPECT_EQ(Outcome(service::Run(*registry_, ListVersions, ann_, request).status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
}

TEST_F(OperationsTest, DamagedRecordsAreNamed) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  const auto put = [this](const std::string& key, const std::string& value) {
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, value}}}).ok());
  };
  const auto get = [this](const std::string& key) {
    return store_.Range({.range = store::KeyRange::Single(key)})->kvs.at(0).value;
  };
  v1::VersionRecord renamed;
  renamed.mutable_version()->mutable_version()->set_name("not a version");
  v1::Resolutions resolutions;
  resolutions.add_entries()->set_expression("((");
  const auto list = [this] { return Call(ListVersions, "").status(); };
  const auto pin = [this] { return Pin("shipping", "addressbook", "~1.0").status(); };
  const auto activate = [this] { return Register("addressbook", "1.1.0", 9002).status(); };
  const auto routing = [this] {
    return Call(GetRouting, R"(service: "addressbook" consumer: "billing")").status();
  };
  const auto pins = [this] { return Call(ListPins, R"(service: "addressbook")").status(); };
  const struct {
    std::string key, value;
    std::function<absl::Status()> operation;
  } kCases[] = {
      {model::VersionKey("addressbook", "1.0.0"), "\xff", list},
      {model::VersionKey("addressbook", "1.0.0"), renamed.SerializeAsString(), list},
      {model::VersionKey("addressbook", "1.0.0"), renamed.SerializeAsString(), pin},
      {model::VersionKey("addressbook", "1.0.0"), "", routing},
      {model::ResolutionsKey("addressbook"), resolutions.SerializeAsString(), activate},
      {model::PinKey("billing", "addressbook", ""), "\xff", routing},
      {model::PinKey("billing", "addressbook", ""), "\xff", pins},
      {model::ConsumerKey("billing"), "", routing},
  };
  for (const auto& c : kCases) {
    const std::string good = get(c.key);
    put(c.key, c.value);
    const absl::Status status = c.operation();
    EXPECT_EQ(Outcome(status), "DATA_LOSS RECORD_DAMAGED") << c.key << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("routing/"));
    put(c.key, good);
    EXPECT_EQ(Outcome(routing()), "OK");
  }
}

TEST_F(OperationsTest, ActivationMovesExpressionsAndCountsThem) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^1").ok());
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  EXPECT_EQ(Call(GetPin, R"(consumer: "billing" service: "addressbook")")->resolved_version(),
            "1.0.0");
  const auto response = Register("addressbook", "1.1.0", 9002);
  ASSERT_EQ(response->moved_size(), 1);
  EXPECT_EQ(response->moved(0).expression(), "^1");
  EXPECT_EQ(response->moved(0).old_version(), "1.0.0");
  EXPECT_EQ(response->moved(0).new_version(), "1.1.0");
  EXPECT_EQ(response->moved(0).consumers(), 2);
  EXPECT_EQ(NewestAudit().moved(0).consumers(), 2);
  EXPECT_EQ(Call(GetPin, R"(consumer: "billing" service: "addressbook")")->resolved_version(),
            "1.1.0");
  // Losing the instance moves nobody back.
  ASSERT_TRUE(
      Call(DeregisterInstance, "uid: '" + response->instance().instance().uid() + "'").ok());
  EXPECT_EQ(Call(GetPin, R"(consumer: "billing" service: "addressbook")")->resolved_version(),
            "1.1.0");
}

TEST_F(OperationsTest, PermanentInstancesAreIdempotentLeasedOnesReplace) {
  ASSERT_TRUE(Publish("s", "1.0.0").ok());
  const std::string first = Register("s", "1.0.0", 9001)->instance().instance().uid();
  const store::Revision before = store_.revision();
  EXPECT_EQ(Register("s", "1.0.0", 9001)->instance().instance().uid(), first);
  EXPECT_EQ(store_.revision(), before);
  const std::string heavy =
      R"(instance { service: "s" version: "1.0.0" weight: 3
                    address { socket_address { address: "127.0.0.1" port_value: 9001 } } })";
  EXPECT_EQ(Call(RegisterInstance, heavy)->instance().instance().uid(), first)
      << "updated in place";
  const std::string leased = Register("s", "1.0.0", 9001, 10)->instance().instance().uid();
  EXPECT_NE(leased, first) << "a new server";
  const auto list = Call(ListInstances, R"(service: "s")");
  ASSERT_EQ(list->instances_size(), 1);
  EXPECT_EQ(list->instances(0).instance().uid(), leased);
  EXPECT_EQ(list->instances(0).lease_ttl().seconds(), 10);
  EXPECT_EQ(Outcome(Call(DeregisterInstance, "uid: '" + first + "'").status()),
            "NOT_FOUND INSTANCE_UNKNOWN");
  EXPECT_EQ(Outcome(Register("s", "2.0.0", 9001).status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(Register("s", "1.0.0", 0).status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
}

TEST_F(OperationsTest, LeasesExpireInAuditedChanges) {
  ASSERT_TRUE(Publish("s", "1.0.0").ok());
  const auto first = Register("s", "1.0.0", 9001, 10);
  const auto second = Register("s", "1.0.0", 9002, 10);
  const std::string kept = "uid: '" + first->instance().instance().uid() + "'";
  clock_.Advance(absl::Seconds(9));
  const store::Revision before = store_.revision();
  EXPECT_EQ(Call(RenewInstance, kept)->lease_ttl().seconds(), 10);
  EXPECT_EQ(store_.revision(), before) << "renewals are no revisions";
  EXPECT_EQ(*ExpireLeases(*registry_), 0);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(
      Outcome(Call(RenewInstance, "uid: '" + second->instance().instance().uid() + "'").status()),
      "NOT_FOUND INSTANCE_UNKNOWN");
  EXPECT_EQ(*ExpireLeases(*registry_), 1);
  EXPECT_EQ(*ExpireLeases(*registry_), 0);
  const auto list = Call(ListInstances, R"(service: "s")");
  ASSERT_EQ(list->instances_size(), 1);
  EXPECT_EQ(list->instances(0).instance().uid(), first->instance().instance().uid());
  EXPECT_EQ(NewestAudit().command(), "instance.deregister");
  EXPECT_EQ(NewestAudit().actor(), "registry");
  EXPECT_EQ(NewestAudit().reason(), "its lease has run out");
  // A server that comes back is a new instance.
  EXPECT_TRUE(Register("s", "1.0.0", 9002, 10).ok());
  // The lease of a replaced registration runs out without harm to the new one.
  ASSERT_TRUE(Register("s", "1.0.0", 9002).ok());
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(*ExpireLeases(*registry_), 1) << "only 9001's";
  EXPECT_EQ(Call(ListInstances, R"(service: "s")")->instances_size(), 1);
}

TEST_F(OperationsTest, ARegistrationWhoseAnswerWasLostEndsOnRecord) {
  ASSERT_TRUE(Publish("s", "1.0.0").ok());
  testing::SilentStore silent(store_);
  registry_ = *Registry::Open(silent, clock_);
  silent.LoseNextAnswer();
  EXPECT_EQ(Outcome(Register("s", "1.0.0", 9001, 10).status()), "UNAVAILABLE OUTCOME_UNKNOWN");
  EXPECT_EQ(NewestAudit().command(), "instance.register");
  EXPECT_EQ(Call(ListInstances, R"(service: "s")")->instances_size(), 1);
  clock_.Advance(absl::Seconds(11));
  EXPECT_EQ(*ExpireLeases(*registry_), 1);
  EXPECT_EQ(NewestAudit().command(), "instance.deregister");
  EXPECT_EQ(NewestAudit().reason(), "its lease has run out");
  // One that was not made leaves no lease.
  EXPECT_EQ(Outcome(Register("s", "9.0.0", 9001, 10).status()), "NOT_FOUND VERSION_NOT_FOUND");
  clock_.Advance(absl::Seconds(11));
  EXPECT_THAT(*store_.ExpiredLeases(), IsEmpty());
}

TEST_F(OperationsTest, IdentitiesBelongToOneConsumer) {
  const std::string spiffe = R"(identities { spiffe_uri: "spiffe://x/billing" })";
  ASSERT_TRUE(Call(CreateConsumer, R"(consumer { name: "billing" )" + spiffe + "}").ok());
  const store::Revision before = store_.revision();
  EXPECT_TRUE(Call(CreateConsumer, R"(consumer { name: "billing" )" + spiffe + "}").ok());
  EXPECT_EQ(store_.revision(), before);
  EXPECT_EQ(Outcome(Call(CreateConsumer, R"(consumer { name: "billing" })").status()),
            "ALREADY_EXISTS CONSUMER_EXISTS");
  EXPECT_EQ(Outcome(Call(CreateConsumer, R"(consumer { name: "thief" )" + spiffe + "}").status()),
            "ALREADY_EXISTS IDENTITY_TAKEN");
  EXPECT_EQ(Outcome(Call(CreateConsumer,
                         R"(consumer { name: "thief" identities { trusted_header: "billing" } })")
                        .status()),
            "ALREADY_EXISTS IDENTITY_TAKEN")
      << "a consumer is known by its name too";
  ASSERT_TRUE(Call(UpdateConsumer,
                   R"(consumer { name: "billing" identities { dns_san: "b.example.org" } })")
                  .ok());
  EXPECT_TRUE(Call(CreateConsumer, R"(consumer { name: "heir" )" + spiffe + "}").ok())
      << "it was given up";
  EXPECT_EQ(Outcome(Call(UpdateConsumer, R"(consumer { name: "biling" })").status()),
            "NOT_FOUND CONSUMER_UNKNOWN");
}

TEST_F(OperationsTest, ChannelsLeadToActiveVersionsOnly) {
  SetUpAddressBook();
  ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
  const std::string to2 = R"(channel { service: "addressbook" name: "stable" version: "2.0.0" })";
  EXPECT_EQ(Outcome(Call(SetChannel, to2).status()), "FAILED_PRECONDITION VERSION_NOT_ACTIVE");
  ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "@stable").ok());
  EXPECT_EQ(Outcome(Call(SetChannel, to2 + " expected_revision: 1").status()),
            "ABORTED REVISION_CONFLICT");
  const auto moved = Call(SetChannel, to2 + " reason: 'release'");
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->previous_version(), "1.0.0");
  EXPECT_EQ(NewestAudit().moved(0).expression(), "@stable");
  EXPECT_EQ(NewestAudit().moved(0).consumers(), 1);
  EXPECT_EQ(NewestAudit().reason(), "release");
  const store::Revision before = store_.revision();
  EXPECT_TRUE(Call(SetChannel, to2).ok());
  EXPECT_EQ(store_.revision(), before);
  EXPECT_EQ(Call(GetPin, R"(consumer: "billing" service: "addressbook")")->resolved_version(),
            "2.0.0");
  EXPECT_EQ(
      Outcome(Call(SetChannel, R"(channel { service: "addressbook" name: "@x" version: "1.0.0" })")
                  .status()),
      "INVALID_ARGUMENT NAME_MALFORMED");
}

TEST_F(OperationsTest, ServicesAreUpdatedInPart) {
  SetUpAddressBook();
  const auto created =
      Call(CreateService, R"(service { name: "s" scheme: DATE } description: "d" owner: "team")");
  EXPECT_EQ(created->meta().owner(), "team");
  EXPECT_EQ(created->meta().created_by(), "ann");
  EXPECT_TRUE(Call(CreateService, R"(service { name: "s" scheme: DATE } description: "d")").ok());
  EXPECT_EQ(Outcome(Call(CreateService, R"(service { name: "s" scheme: K8S })").status()),
            "ALREADY_EXISTS SERVICE_EXISTS");
  const std::string reject = R"(name: "s" unpinned { reject {} })";
  EXPECT_EQ(Outcome(Call(UpdateService, reject + " expected_revision: 1").status()),
            "ABORTED REVISION_CONFLICT");
  const auto updated = Call(UpdateService, reject);
  EXPECT_TRUE(updated->service().unpinned().has_reject());
  EXPECT_EQ(updated->description(), "d");
  EXPECT_EQ(updated->meta().revision(), store_.revision());
  EXPECT_EQ(Outcome(Call(UpdateService, R"(name: "adressbook")").status()),
            "NOT_FOUND SERVICE_UNKNOWN");
}

TEST_F(OperationsTest, ListsComeInPages) {
  for (const char* name : {"a", "b", "b/c", "b-d", "e"}) {
    ASSERT_TRUE(
        Call(CreateService, std::string("service { scheme: SEMVER name: '") + name + "' }").ok());
  }
  std::vector<std::string> names;
  std::string token;
  int pages = 0;
  do {
    const auto page = Call(ListServices, "page_size: 2 page_token: '" + token + "'");
    ASSERT_TRUE(page.ok());
    for (const auto& service : page->services()) names.push_back(service.service().name());
    token = page->next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(names, ElementsAre("a", "b", "b-d", "b/c", "e"));
  EXPECT_EQ(Outcome(Call(ListServices, "page_size: -1").status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
}

TEST_F(OperationsTest, TheAuditLogIsNewestFirstAndFiltered) {
  SetUpAddressBook();
  const auto all = Call(ListAuditRecords, "");
  ASSERT_EQ(all->records_size(), 4);
  EXPECT_EQ(all->records(0).command(), "consumer.create");
  EXPECT_EQ(all->records(3).command(), "version.publish");
  for (int i = 0; i + 1 < 4; ++i)
    EXPECT_GT(all->records(i).revision(), all->records(i + 1).revision());
  clock_.JumpWall(-absl::Hours(1));
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  EXPECT_EQ(NewestAudit().command(), "pin.set") << "ids increase though the wall clock went back";
  EXPECT_EQ(Call(ListAuditRecords, "object_contains: 'billing'")->records_size(), 2);
  EXPECT_EQ(Call(ListAuditRecords, "actor: 'bob'")->records_size(), 0);
  const auto page = Call(ListAuditRecords, "page_size: 2");
  const auto next =
      Call(ListAuditRecords, "page_size: 2 page_token: '" + page->next_page_token() + "'");
  EXPECT_GT(page->records(1).revision(), next->records(0).revision());
}

TEST_F(OperationsTest, StatusAndIdentityOfTheRegistry) {
  SetUpAddressBook();
  const auto status = Call(GetStatus, "");
  EXPECT_EQ(status->registry_id(), registry_->id());
  EXPECT_EQ(status->revision(), store_.revision());
  EXPECT_EQ(status->services(), 1);
  EXPECT_EQ(status->versions(), 1);
  EXPECT_EQ(status->instances(), 1);
  EXPECT_EQ(status->consumers(), 2);
  EXPECT_EQ((*Registry::Open(store_, clock_))->id(), registry_->id()) << "it stays with the store";
}

TEST_F(OperationsTest, RoutingOfOneConsumer) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Publish("addressbook/other", "1.0.0").ok());
  const auto routing = Call(GetRouting, R"(grpc_service: "acme.AddressBook" consumer: "billing")");
  ASSERT_TRUE(routing.ok()) << routing.status();
  EXPECT_EQ(routing->revision(), store_.revision());
  std::vector<std::string> kinds;
  for (const auto& resource : routing->resources()) {
    kinds.push_back(std::to_string(resource.resource_case()));
  }
  using R = routing::v1::Resource;
  const auto k = [](R::ResourceCase kind) { return std::to_string(kind); };
  EXPECT_THAT(kinds, ElementsAre(k(R::kService), k(R::kVersion), k(R::kChannel), k(R::kResolution),
                                 k(R::kResolution), k(R::kInstance), k(R::kConsumer), k(R::kPin)));
  EXPECT_EQ(Outcome(Call(GetRouting, R"(grpc_service: "acme.Adressbook")").status()),
            "NOT_FOUND SERVICE_UNKNOWN");
  EXPECT_EQ(Outcome(Call(GetRouting, R"(service: "addressbook" consumer: "x")").status()),
            "NOT_FOUND CONSUMER_UNKNOWN");
}

}  // namespace
}  // namespace pinion::service
