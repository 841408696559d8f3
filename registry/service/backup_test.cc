// A registry into a file and back: nothing is lost, nothing half restored is taken for a registry.

#include <fstream>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "registry/archive/backup_file.h"
#include "registry/model/keys.h"
#include "registry/service/consistent_read.h"
#include "registry/service/housekeeper.h"
#include "registry/service/restore.h"
#include "tests/testing/audit_log.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"
#include "tests/testing/temp_directory.h"

namespace pinion::service {
namespace {

using testing::Findings;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupTest : public RegistryFixture {
 protected:
  // Something of everything: versions with schemas, instances with and without leases, pins,
  // history, a job that is half done, a version that is to be sunset.
  void Fill() {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0", DescriptorSetOf({"acme.AddressBook"}, 2)).ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002, /*lease_seconds=*/30).ok());
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: 'c", i, "' }")).ok());
      ASSERT_TRUE(Pin(absl::StrCat("c", i), "addressbook", "^1").ok());
    }
    ASSERT_TRUE(Call(SetEntitlement, R"(entitlement { consumer: "c1" service: "addressbook"
                                                      expression: "*" })")
                    .ok());
    ASSERT_TRUE(Call(StartJob, R"(move_pins { service: "addressbook" from: "^1" to: "^2" })").ok());
  }
  absl::Status Backup() {
    auto file = archive::PartFileWriter::Create(path_, archive::kBackupKind);
    RETURN_IF_ERROR(file.status());
    RETURN_IF_ERROR(ReadBackup(*registry_, ann_, {}, [&](const v1::BackupPart& part) {
      if (during_ && part.has_pairs()) std::exchange(during_, nullptr)();
      v1::BackupPart written = part;
      if (on_its_way_) on_its_way_(written);
      return (*file)->Append(written);
    }));
    return (*file)->Finish();
  }
  absl::StatusOr<Restored> RestoreInto(store::Store& store) {
    return Restore(path_, store, clock_, {.actor = "bob"});
  }
  // Everything but what a restore writes anew, and what is a lease's own.
  static std::map<std::string, std::string> All(store::Store& store, store::Revision revision = 0) {
    const auto range =
        store.Range({.range = store::KeyRange::Prefix(model::kEveryKey), .revision = revision});
    std::map<std::string, std::string> pairs;
    for (const store::KeyValue& kv : range->kvs) pairs[kv.key] = kv.value;
    pairs.erase(model::kRegistryKey);
    return pairs;
  }
  void Write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  const testing::TempDirectory directory_;
  const std::string path_ = directory_.Path("registry.backup");
  std::function<void()> during_;  // once, while a backup is being read
  std::function<void(v1::BackupPart&)> on_its_way_;
  store::MemoryStore restored_{clock_};
};

TEST_F(BackupTest, ComesBackWholeAsAnotherRegistry) {
  Fill();
  ASSERT_TRUE(Backup().ok());
  const auto restored = RestoreInto(restored_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_NE(restored->registry_id, registry_->id());
  EXPECT_EQ(restored->header.registry_id(), registry_->id());
  EXPECT_EQ(restored->leases, 1);

  std::map<std::string, std::string> before = All(store_, restored->header.revision());
  std::erase_if(before,
                [](const auto& pair) { return absl::StartsWith(pair.first, model::kHeld); });
  std::map<std::string, std::string> after = All(restored_);
  const auto drop_heads = [](auto& pairs) {
    std::erase_if(
        pairs, [](const auto& pair) { return absl::StartsWith(pair.first, model::kAuditHeads); });
  };
  drop_heads(before);
  drop_heads(after);
  EXPECT_EQ(after.size(), before.size() + 1) << "the record of the restore";
  for (const auto& [key, value] : before) EXPECT_EQ(after[key], value) << key;

  const auto registry = *Registry::Open(restored_, clock_);
  EXPECT_EQ(registry->id(), restored->registry_id);
  const v1::GetStatusResponse status =
      *service::Run(*registry, GetStatus, ann_, v1::GetStatusRequest());
  ASSERT_EQ(status.restored_from_size(), 1);
  EXPECT_EQ(status.restored_from(0).registry_id(), registry_->id());
  EXPECT_EQ(status.restored_from(0).revision(), restored->header.revision());
  EXPECT_THAT(Findings(*registry), IsEmpty());
  const v1::AuditLogState head = *Call(GetAuditHead, "");
  v1::AuditLogState of_backup = head;
  EXPECT_THAT(Findings(*registry, &of_backup), IsEmpty()) << "the head of the first registry";
  const auto newest =
      *service::Run(*registry, ListAuditRecords, ann_, v1::ListAuditRecordsRequest());
  EXPECT_EQ(newest.records(0).command(), "registry.restore");
  EXPECT_EQ(newest.records(0).actor(), "bob");
  EXPECT_EQ(newest.records(1).command(), "registry.backup");
}

TEST_F(BackupTest, IsTheRegistryAtOneRevisionWhileChangesGoOn) {
  Fill();
  during_ = [this] {
    ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
    ASSERT_TRUE(Call(CreateConsumer, "consumer { name: 'zz' }").ok());
  };
  ASSERT_TRUE(Backup().ok());
  ASSERT_TRUE(RestoreInto(restored_).ok());
  registry_ = *Registry::Open(restored_, clock_);
  EXPECT_FALSE(Call(GetPin, "consumer: 'billing' service: 'addressbook'").ok());
  EXPECT_FALSE(Call(GetConsumer, "name: 'zz'").ok());
}

TEST_F(BackupTest, HoldsItsRevisionAsLongAsItIsRead) {
  Fill();
  WatchHub hub(*registry_, {.ring_revisions = 1});
  Housekeeper keeper(*registry_, hub, {.period = absl::Hours(1), .keep_revisions = 1});
  // Changes until everything before `revision` may be compacted, but for what is held.
  const auto change_beyond = [&](store::Revision revision) {
    for (int i = 0; hub.floor() <= revision; ++i) {
      ASSERT_TRUE(Pin("billing", "addressbook", i % 2 == 0 ? "^1" : "1.0.0").ok());
    }
    ASSERT_TRUE(keeper.RunOnce().ok());
  };
  store::Revision read = 0;
  during_ = [&] {
    read = store_.revision();
    change_beyond(read);
    EXPECT_LE(store_.compact_revision(), read);
    EXPECT_TRUE(store_.Range({.range = store::KeyRange::Prefix("r"), .revision = read}).ok());
  };
  ASSERT_TRUE(Backup().ok());
  ASSERT_GT(read, 0);
  change_beyond(read);
  EXPECT_GT(store_.compact_revision(), read) << "and no longer";
}

TEST_F(BackupTest, AStoreThatIsFullCanStillBeBackedUp) {
  SetUpAddressBook();
  testing::FailingStore full(store_, /*commits_before=*/1, absl::ResourceExhaustedError("full"));
  registry_ = *Registry::Open(full, clock_);
  EXPECT_EQ(Outcome(Call(CreateConsumer, "consumer { name: 'zz' }").status()),
            "RESOURCE_EXHAUSTED STORE_FULL");
  ASSERT_TRUE(Backup().ok());
  ASSERT_TRUE(RestoreInto(restored_).ok());
}

TEST_F(BackupTest, AJobGoesOnWhereItWas) {
  Fill();
  ASSERT_TRUE(RunJobs(*registry_).ok());
  const int64_t total = Call(GetJob, "id: 1")->pins_total();
  ASSERT_TRUE(Backup().ok());
  ASSERT_TRUE(RestoreInto(restored_).ok());
  registry_ = *Registry::Open(restored_, clock_);
  for (bool more = true; more;) more = *RunJobs(*registry_);
  const v1::Job job = *Call(GetJob, "id: 1");
  EXPECT_EQ(job.state(), v1::Job::DONE);
  EXPECT_EQ(job.changed(), total);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(Call(ListPinHistory, absl::StrCat("consumer: 'c", i, "' service: 'addressbook'"))
                  ->changes_size(),
              2)
        << "each pin was set and moved once";
  }
}

TEST_F(BackupTest, LeasedInstancesComeBackWithTheirFullTtl) {
  Fill();
  clock_.Advance(absl::Seconds(29));
  ASSERT_TRUE(Backup().ok());
  ASSERT_TRUE(RestoreInto(restored_).ok());
  registry_ = *Registry::Open(restored_, clock_);
  const std::string uid =
      Call(ListInstances, "service: 'addressbook' version: '2.0.0'")->instances(0).instance().uid();
  clock_.Advance(absl::Seconds(29));
  EXPECT_EQ(*ExpireLeases(*registry_), 0);
  EXPECT_TRUE(Call(RenewInstance, absl::StrCat("uid: '", uid, "'")).ok())
      << "whoever kept it alive goes on doing so";
  clock_.Advance(absl::Seconds(31));
  EXPECT_EQ(*ExpireLeases(*registry_), 1);
}

TEST_F(BackupTest, EveryCutAndEveryFlipOfTheFileIsRefused) {
  SetUpAddressBook();
  ASSERT_TRUE(Backup().ok());
  const std::string whole = testing::ReadFile(path_);
  for (size_t size = 0; size < whole.size(); ++size) {
    Write(whole.substr(0, size));
    const absl::Status status = RestoreInto(restored_).status();
    ASSERT_FALSE(status.ok()) << size;
    ASSERT_THAT(std::string(status.message()), HasSubstr("nothing was restored"));
  }
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string flipped = whole;
    flipped[at] ^= 0x10;
    Write(flipped);
    ASSERT_FALSE(RestoreInto(restored_).ok()) << at;
  }
  Write(whole + whole.substr(whole.size() / 2));
  EXPECT_FALSE(RestoreInto(restored_).ok());
  EXPECT_EQ(restored_.revision(), 1) << "nothing was written";
  Write(whole);
  EXPECT_TRUE(RestoreInto(restored_).ok());
}

// The file's own checksums are right then, record by record.
TEST_F(BackupTest, WhatWasChangedOnItsWayIsRefused) {
  SetUpAddressBook();
  on_its_way_ = [](v1::BackupPart& part) {
    if (part.has_pairs()) part.mutable_pairs()->mutable_pairs(0)->mutable_value()->push_back('x');
  };
  ASSERT_TRUE(Backup().ok());
  EXPECT_THAT(std::string(RestoreInto(restored_).status().message()),
              HasSubstr("its checksum does not fit"));
  EXPECT_EQ(restored_.revision(), 1) << "nothing was written";
}

TEST_F(BackupTest, AForgedAuditLogIsRefusedUnlessItIsAccepted) {
  SetUpAddressBook();
  const auto entry = store_.Range({.range = store::KeyRange::Prefix(model::kAudit), .limit = 1});
  std::string flipped = entry->kvs[0].value;
  flipped[flipped.find("ann")] = 'A';
  ASSERT_TRUE(store_.Commit({.then = {store::Put{entry->kvs[0].key, flipped}}}).ok());
  ASSERT_TRUE(Backup().ok());
  EXPECT_THAT(std::string(RestoreInto(restored_).status().message()),
              HasSubstr("its audit log is not what was written (1 finding, the first: record"));
  EXPECT_TRUE(
      Restore(path_, restored_, clock_, {.actor = "bob", .accept_damaged_audit = true}).ok());
}

TEST_F(BackupTest, OnlyIntoAnEmptyStoreAndNeverHalf) {
  Fill();
  ASSERT_TRUE(Backup().ok());
  EXPECT_THAT(std::string(RestoreInto(store_).status().message()), HasSubstr("holds a registry"));

  // Each commit fails in its turn, until one restore gets through.
  int commits = 0;
  for (bool whole = false; !whole; ++commits) {
    store::MemoryStore empty(clock_);
    testing::FailingStore store(empty, /*commits_before=*/commits);
    const auto restored = RestoreInto(store);
    whole = restored.ok();
    if (whole || empty.revision() == 1) continue;
    EXPECT_THAT(std::string(restored.status().message()), HasSubstr("restore again"));
    const auto opened = Registry::Open(empty, clock_);
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr("was not finished"));
    EXPECT_THAT(std::string(RestoreInto(empty).status().message()),
                HasSubstr("a part of a restore that was interrupted"));
  }
  EXPECT_GT(commits, 3) << "the beginning, the records, the leases, the end";
}

TEST_F(BackupTest, ARegistryThatStartsWhileARestoreBeginsLeavesItTheStore) {
  store::MemoryStore empty(clock_);
  testing::InterruptedStore store(empty);
  store.BeforeNextCommit([&empty] {
    EXPECT_TRUE(empty.Commit({.then = {store::Put{model::kRestoringKey, ""}}}).ok());
  });
  const auto opened = Registry::Open(store, clock_);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("was not finished"));
  const auto identity = empty.Range({.range = store::KeyRange::Single(model::kRegistryKey)});
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_TRUE(identity->kvs.empty());
}

}  // namespace
}  // namespace pinion::service
