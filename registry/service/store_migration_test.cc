// A store forwards to a newer format and back to an older program, with nothing lost on the way.
// What the older program does stands here, as it was: it knows neither formats nor chains.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"
#include "tests/testing/audit_log.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using testing::Findings;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The program of format 1.
class OldProgram {
 public:
  explicit OldProgram(store::Store& store) : store_(store) {}

  // Makes the registry, as its start did.
  void MakeRegistry() {
    v1::RegistryIdentity identity;
    identity.set_id("0123456789abcdef0123456789abcdef");
    Put(model::kRegistryKey, identity);
  }
  // A change with its record.
  void AddConsumer(const std::string& name) {
    v1::Consumer consumer;
    consumer.mutable_consumer()->set_name(name);
    v1::AuditRecord record;
    record.set_id(NextId());
    record.set_command("consumer.create");
    record.set_object(name);
    ASSERT_TRUE(
        store_
            .Commit(
                {.compares = {store::Compare::Absent(model::AuditKey(record.id()))},
                 .then = {store::Put{model::ConsumerKey(name), consumer.SerializeAsString()},
                          store::Put{model::AuditKey(record.id()), record.SerializeAsString()}}})
            .ok());
  }

 private:
  template <typename Record>
  void Put(const std::string& key, const Record& record) {
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, record.SerializeAsString()}}}).ok());
  }
  // Behind the newest.
  std::string NextId() {
    const auto newest = store_.Range({.range = store::KeyRange::Prefix(model::kAudit),
                                      .limit = 1,
                                      .descending = true,
                                      .keys_only = true});
    if (newest->kvs.empty()) return absl::StrFormat("%020d", 1);
    const std::string id = newest->kvs[0].key.substr(absl::string_view(model::kAudit).size());
    return absl::StrFormat("%020d", std::stoll(id) + 1);
  }

  store::Store& store_;
};

class StoreMigrationTest : public RegistryFixture {
 protected:
  StoreMigrationTest() : old_(old_store_) {
    old_.MakeRegistry();
    old_.AddConsumer("accounting");
    old_.AddConsumer("sales");
    Reopen();
  }
  void Reopen() { registry_ = *Registry::Open(old_store_, clock_); }
  absl::StatusOr<v1::MigrateStoreResponse> Migrate(int to, bool contract = false) {
    v1::MigrateStoreRequest request;
    request.set_to(to);
    request.set_contract(contract);
    return service::Run(*registry_, MigrateStore, ann_, request);
  }
  bool AddConsumer(const std::string& name) {
    return Call(CreateConsumer, absl::StrCat("consumer { name: '", name, "' }")).ok();
  }

  store::MemoryStore old_store_{clock_};
  OldProgram old_;
};

TEST_F(StoreMigrationTest, ANewerProgramWorksWithAnOlderStoreAsItIs) {
  EXPECT_EQ(registry_->id(), "0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(AddConsumer("new"));
  old_.AddConsumer("old");
  EXPECT_EQ(Call(GetStatus, "")->store_format().format(), 1);
  EXPECT_TRUE(Call(GetAuditHead, "")->heads().empty());
  EXPECT_EQ(Call(ListAuditRecords, "")->records_size(), 4);
}

TEST_F(StoreMigrationTest, AMigrationSealsWhatWasThereAndBeginsTheChains) {
  ASSERT_TRUE(AddConsumer("new"));
  const auto migrated = Migrate(2);
  ASSERT_TRUE(migrated.ok()) << migrated.status();
  EXPECT_EQ(migrated->format().readable_by(), 1) << "the older program still can";
  EXPECT_FALSE(Migrate(2)->changed());
  ASSERT_TRUE(AddConsumer("newer"));
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  const v1::AuditLogState head = *Call(GetAuditHead, "");
  EXPECT_EQ(head.heads(0).chain(), 0);
  EXPECT_EQ(head.heads(0).sequence(), 3) << "of the old program two, and one of this";
  EXPECT_EQ(head.heads(1).sequence(), 2) << "the migration, and what followed";
  const auto first =
      old_store_.Range({.range = store::KeyRange::Prefix(model::kAudit), .limit = 1})->kvs[0];
  ASSERT_TRUE(old_store_.Commit({.then = {store::Delete{first.key}}}).ok());
  EXPECT_THAT(Findings(*registry_), ElementsAre(HasSubstr("number 3 of the records from before")));
}

TEST_F(StoreMigrationTest, ForwardsBackAndForwardsAgain) {
  ASSERT_TRUE(Migrate(2).ok());
  ASSERT_TRUE(AddConsumer("new"));
  // Back: the older program appends as it always did.
  old_.AddConsumer("old");
  old_.AddConsumer("older");
  // And forwards.
  clock_.Advance(absl::Seconds(1));
  Reopen();
  ASSERT_TRUE(AddConsumer("newest"));
  EXPECT_EQ(Call(ListConsumers, "")->consumers_size(), 6);
  EXPECT_EQ(Call(ListAuditRecords, "")->records_size(), 7);
  EXPECT_THAT(Findings(*registry_), ElementsAre(HasSubstr("is in no chain: it was inserted, or "
                                                          "written by a program that knows no"),
                                                HasSubstr("is in no chain")));
}

TEST_F(StoreMigrationTest, AnotherRegistryFollowsAMigrationWithoutARestart) {
  const auto other = Registry::Open(old_store_, clock_);
  ASSERT_TRUE(Migrate(2).ok());
  v1::CreateConsumerRequest request;
  request.mutable_consumer()->set_name("other");
  ASSERT_TRUE(service::Run(**other, CreateConsumer, ann_, request).ok());
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  EXPECT_EQ((*other)->audit_chains().format().value.format(), 2);
}

TEST_F(StoreMigrationTest, AChangeThatComesFirstIsSealedToo) {
  testing::InterruptedStore store(old_store_);
  registry_ = *Registry::Open(store, clock_);
  store.BeforeNextCommit([this] { old_.AddConsumer("late"); });
  ASSERT_TRUE(Migrate(2).ok());
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  EXPECT_EQ(Call(GetAuditHead, "")->heads(0).sequence(), 3);
}

TEST_F(StoreMigrationTest, AContractedStoreIsForNewerProgramsOnly) {
  EXPECT_EQ(Migrate(2, /*contract=*/true)->format().readable_by(), 2);
  EXPECT_EQ(NewestAudit().command(), "registry.migrate");
  EXPECT_EQ(Outcome(Migrate(3).status()), "FAILED_PRECONDITION STORE_FORMAT_UNKNOWN");
  EXPECT_EQ(Outcome(Migrate(1).status()), "FAILED_PRECONDITION STORE_FORMAT_UNKNOWN");
  // As this program would find a store of the one after the next.
  v1::StoreFormat format;
  format.set_format(4);
  format.set_readable_by(3);
  ASSERT_TRUE(
      old_store_.Commit({.then = {store::Put{model::kFormatKey, format.SerializeAsString()}}})
          .ok());
  EXPECT_THAT(std::string(Registry::Open(old_store_, clock_).status().message()),
              HasSubstr("run a newer pinion"));
  // And of the next one, which has only expanded.
  format.set_format(3);
  format.set_readable_by(2);
  ASSERT_TRUE(
      old_store_.Commit({.then = {store::Put{model::kFormatKey, format.SerializeAsString()}}})
          .ok());
  Reopen();
  EXPECT_TRUE(AddConsumer("here"));
  EXPECT_THAT(Findings(*registry_), IsEmpty());
}

// A field that a newer program has added, as it stands behind a record's bytes.
constexpr char kUnknownField[] = "\xc2\x3e\x05newer";

TEST_F(StoreMigrationTest, FieldsOfNewerProgramsOutliveAChange) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  ASSERT_TRUE(Call(SetChannel, R"(channel { service: "addressbook" name: "stable"
                                            version: "1.0.0" })")
                  .ok());
  struct Case {
    std::string key;
    std::function<absl::Status()> change;
  };
  const std::vector<Case> cases = {
      {model::ServiceKey("addressbook"),
       [this] {
         return Call(UpdateService, "name: 'addressbook' description: 'of people'").status();
       }},
      {model::ConsumerKey("billing"),
       [this] {
         return Call(UpdateConsumer, "consumer { name: 'billing' } owner: 'team'").status();
       }},
      {model::VersionKey("addressbook", "1.0.0"),
       [this] { return Call(DeprecateVersion, "service: 'addressbook' name: '1.0.0'").status(); }},
      {model::ResolutionsKey("addressbook"),
       [this] { return Call(ReactivateVersion, "service: 'addressbook' name: '1.0.0'").status(); }},
      {model::PinKey("billing", "addressbook", ""),
       [this] { return Pin("billing", "addressbook", "1.0.0").status(); }},
  };
  for (const Case& c : cases) {
    const auto before =
        old_store_.Range({.range = store::KeyRange::Single(c.key)})->kvs.at(0).value;
    ASSERT_TRUE(old_store_.Commit({.then = {store::Put{c.key, before + kUnknownField}}}).ok());
    const absl::Status status = c.change();
    ASSERT_TRUE(status.ok()) << c.key << ": " << status;
    const auto after = old_store_.Range({.range = store::KeyRange::Single(c.key)})->kvs.at(0).value;
    EXPECT_NE(after, before + kUnknownField) << c.key << " was not changed";
    EXPECT_THAT(after, HasSubstr(kUnknownField)) << c.key;
  }
}

}  // namespace
}  // namespace pinion::service
