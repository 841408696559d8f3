// The audit log of a registry: chained by every change, however many come at once, and trimmed on
// record.
#include "tests/testing/audit_log.h"

#include <map>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "registry/model/audit_chain.h"
#include "registry/model/keys.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using testing::Findings;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReadLog;
using ::testing::SizeIs;

class AuditLogTest : public RegistryFixture {
 protected:
  std::vector<v1::AuditEntry> Entries() {
    std::vector<v1::AuditEntry> entries;
    for (const auto& part : ReadLog(*registry_)) {
      for (const auto& entry : part.entries().entries()) entries.push_back(entry);
    }
    return entries;
  }
  v1::AuditLogState Head() { return *Call(GetAuditHead, ""); }
  absl::StatusOr<v1::TrimAuditLogResponse> Trim(const v1::AuditLogState& exported,
                                                absl::Time before) {
    v1::TrimAuditLogRequest request;
    *request.mutable_exported() = exported.heads();
    request.mutable_before()->set_seconds(absl::ToUnixSeconds(before));
    request.set_reason("kept elsewhere");
    return service::Run(*registry_, TrimAuditLog, ann_, request);
  }
};

TEST_F(AuditLogTest, EveryChangeIsChained) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  const std::vector<v1::AuditEntry> entries = Entries();
  EXPECT_THAT(entries, SizeIs(5));
  for (const v1::AuditEntry& entry : entries) {
    const auto stored = model::ParseAudit(entry.record());
    ASSERT_TRUE(stored.has_value());
    EXPECT_GT(stored->link.chain(), 0);
  }
  EXPECT_EQ(Head().heads_size(), 1) << "one after another needs one chain";
  EXPECT_EQ(Head().heads(0).sequence(), 5);
}

TEST_F(AuditLogTest, ManyAtOnceNeedSeveralChainsAndLoseNothing) {
  SetUpAddressBook();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([registry = registry_.get(), &caller = ann_, t] {
      for (int i = 0; i < 25; ++i) {
        v1::CreateConsumerRequest request;
        request.mutable_consumer()->set_name(absl::StrCat("c", t, "-", i));
        EXPECT_TRUE(service::Run(*registry, CreateConsumer, caller, request).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Entries(), SizeIs(204));
  EXPECT_THAT(Findings(*registry_), IsEmpty());
}

TEST_F(AuditLogTest, AnotherRegistryInTheSameChainCostsNoAttempt) {
  testing::InterruptedStore store(store_);
  auto other = *Registry::Open(store, clock_);
  v1::CreateConsumerRequest request;
  request.mutable_consumer()->set_name("first");
  ASSERT_TRUE(service::Run(*other, CreateConsumer, ann_, request).ok());
  // In the place of another process whose next change comes first, and goes into the same chain.
  store.BeforeNextCommit([this] {
    v1::AuditLogState state = Head();
    ASSERT_EQ(state.heads_size(), 1);
    v1::AuditHead& next = *state.mutable_heads(0);
    v1::AuditRecord record;
    record.set_id(registry_->NextAuditId(next.last_id()));
    const std::string bytes = model::ChainAuditRecord(record, {}, next);
    ASSERT_TRUE(store_
                    .Commit({.then = {store::Put{model::AuditKey(record.id()), bytes},
                                      store::Put{model::AuditHeadKey(next.chain()),
                                                 next.SerializeAsString()}}})
                    .ok());
  });
  request.mutable_consumer()->set_name("second");
  Draft draft(*other, ann_);
  ASSERT_TRUE(CreateConsumer(draft, request).ok());
  const auto revision = draft.Commit();
  ASSERT_TRUE(revision.ok());
  EXPECT_TRUE(revision->has_value()) << "the draft did not have to be made anew";
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  EXPECT_EQ(Head().heads(0).sequence(), 3);
}

TEST_F(AuditLogTest, IdsOfOneChainGrowAlsoWhereClocksDiffer) {
  SetUpAddressBook();
  testing::FakeClock late;
  late.JumpWall(-absl::Hours(1));
  auto other = *Registry::Open(store_, late);
  for (int i = 0; i < 200; ++i) {
    v1::CreateConsumerRequest request;
    request.mutable_consumer()->set_name(absl::StrCat("c", i));
    ASSERT_TRUE(service::Run(i % 2 == 0 ? *other : *registry_, CreateConsumer, ann_, request).ok());
  }
  EXPECT_THAT(Findings(*registry_), IsEmpty());
}

TEST_F(AuditLogTest, WhatIsDoneToTheStoreIsNamed) {
  SetUpAddressBook();
  const v1::AuditLogState exported = Head();
  const v1::AuditEntry entry = Entries()[2];
  const std::string key = model::AuditKey(entry.id());
  std::string flipped = entry.record();
  flipped[flipped.find("ann")] = 'A';
  ASSERT_TRUE(store_.Commit({.then = {store::Put{key, flipped}}}).ok());
  EXPECT_THAT(Findings(*registry_), ElementsAre(HasSubstr("changed: record " + entry.id())));
  ASSERT_TRUE(store_.Commit({.then = {store::Delete{key}}}).ok());
  EXPECT_THAT(Findings(*registry_), ElementsAre(HasSubstr("number 3 of chain")));
  ASSERT_TRUE(store_.Commit({.then = {store::Put{key, entry.record()}}}).ok());
  EXPECT_THAT(Findings(*registry_, &exported), IsEmpty());
}

TEST_F(AuditLogTest, WhatWasExportedIsTrimmedOnRecordAndTheRestStillVerifies) {
  SetUpAddressBook();
  const v1::AuditLogState exported = Head();
  clock_.Advance(absl::Hours(1));
  const absl::Time later = clock_.Wall();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  clock_.Advance(absl::Hours(1));

  EXPECT_EQ(Trim(exported, later - absl::Hours(2))->trimmed(), 0) << "none is so old";
  const auto trimmed = Trim(exported, clock_.Wall());
  ASSERT_TRUE(trimmed.ok()) << trimmed.status();
  EXPECT_EQ(trimmed->trimmed(), 4) << "the pin was not exported";
  EXPECT_FALSE(trimmed->more());
  EXPECT_THAT(Entries(), SizeIs(2));
  EXPECT_EQ(NewestAudit().command(), "audit.trim");
  EXPECT_EQ(NewestAudit().reason(), "kept elsewhere");
  EXPECT_THAT(Findings(*registry_), IsEmpty());
  EXPECT_EQ(Trim(exported, clock_.Wall())->trimmed(), 0);

  // Whoever deletes further ones and says so is found by the record of trimming.
  v1::AuditTrim forged;
  *forged.mutable_trimmed_to() = Head().heads();
  ASSERT_TRUE(store_
                  .Commit({.then = {store::Put{model::kAuditTrimKey, forged.SerializeAsString()},
                                    store::Delete{model::AuditKey(Entries()[0].id())},
                                    store::Delete{model::AuditKey(Entries()[1].id())}}})
                  .ok());
  EXPECT_THAT(Findings(*registry_), ElementsAre(HasSubstr("has no record of that")));
}

TEST_F(AuditLogTest, ALongLogIsTrimmedInTransactionsOfAHundred) {
  for (int i = 0; i < 250; ++i) {
    ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: 'c", i, "' }")).ok());
  }
  const v1::AuditLogState exported = Head();
  clock_.Advance(absl::Hours(1));
  std::vector<int64_t> trimmed;
  for (bool more = true; more;) {
    const auto response = Trim(exported, clock_.Wall());
    ASSERT_TRUE(response.ok()) << response.status();
    trimmed.push_back(response->trimmed());
    more = response->more();
    EXPECT_THAT(Findings(*registry_), IsEmpty()) << "also half-way";
  }
  EXPECT_THAT(trimmed, ElementsAre(100, 100, 50));
  EXPECT_THAT(Entries(), SizeIs(3)) << "one for each transaction";
}

TEST_F(AuditLogTest, OnlyWhatIsThisLogsIsTrimmed) {
  SetUpAddressBook();
  v1::AuditLogState exported = Head();
  clock_.Advance(absl::Hours(1));
  exported.mutable_heads(0)->set_hash(std::string(32, 'x'));
  EXPECT_EQ(Outcome(Trim(exported, clock_.Wall()).status()),
            "FAILED_PRECONDITION AUDIT_NOT_EXPORTED");
  EXPECT_EQ(Outcome(Trim(Head(), clock_.Wall() + absl::Hours(1)).status()),
            "INVALID_ARGUMENT ARGUMENT_INVALID");
  // A log that is not what was written keeps the traces.
  const v1::AuditEntry entry = Entries()[1];
  std::string flipped = entry.record();
  flipped[flipped.find("ann")] = 'A';
  ASSERT_TRUE(store_.Commit({.then = {store::Put{model::AuditKey(entry.id()), flipped}}}).ok());
  EXPECT_EQ(Outcome(Trim(Head(), clock_.Wall()).status()), "DATA_LOSS RECORD_DAMAGED");
  EXPECT_THAT(Entries(), SizeIs(4));
}

TEST_F(AuditLogTest, AReaderGetsOnlyWhatCameSince) {
  SetUpAddressBook();
  v1::ReadAuditLogRequest request;
  *request.mutable_after() = Head().heads();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  const auto parts = ReadLog(*registry_, request);
  ASSERT_THAT(parts, SizeIs(3));
  EXPECT_EQ(parts[0].begin().begins_after(0).sequence(), 4);
  ASSERT_EQ(parts[1].entries().entries_size(), 1);
  EXPECT_THAT(parts[1].entries().entries(0).record(), HasSubstr("pin.set"));
  EXPECT_EQ(parts[2].end().heads(0).sequence(), 5);
}

}  // namespace
}  // namespace pinion::service
