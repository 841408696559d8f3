// Retirement: what keeps a version from it, what it leaves, and that nothing comes to it in the
// very moment.
#include "registry/model/retirement.h"

#include <barrier>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/service/operations.h"
#include "registry/store/sqlite_store.h"
#include "tests/testing/registry_fixture.h"
#include "tests/testing/temp_directory.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RetirementTest : public RegistryFixture {
 protected:
  // addressbook with 1.0.0, which is stable, and 2.0.0, both active.
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0", DescriptorSetOf({"acme.AddressBook"})).ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }
  std::string Book(const std::string& version, const std::string& rest = "") {
    return absl::StrCat("service: 'addressbook' name: '", version, "' ", rest);
  }
  absl::StatusOr<v1::VersionStateResponse> Retire(const std::string& version,
                                                  const std::string& rest = "") {
    return Call(RetireVersion, Book(version, rest));
  }
  void Deprecate(const std::string& version, const std::string& rest = "") {
    ASSERT_TRUE(Call(DeprecateVersion, Book(version, rest)).ok());
  }
  void MoveStable(const std::string& version) {
    ASSERT_TRUE(Call(SetChannel, absl::StrCat("channel { service: 'addressbook' name: 'stable' "
                                              "version: '",
                                              version, "' }"))
                    .ok());
  }
  void DeregisterAllOf(const std::string& version) {
    ASSERT_TRUE(DeregisterAll(*registry_, ann_, "addressbook", version, "").ok());
  }
  // "KIND subject: command" of each.
  std::vector<std::string> Blockers(const std::string& version) {
    std::vector<std::string> texts;
    const auto found = Call(ListRetirementBlockers, Book(version));
    for (const auto& blocker : found->blockers()) {
      texts.push_back(absl::StrCat(v1::RetirementBlocker::Kind_Name(blocker.kind()), " ",
                                   blocker.subject(), ": ", blocker.command()));
    }
    return texts;
  }
  // 1.0.0 deprecated, and nothing on it any more.
  void Abandon() {
    Deprecate("1.0.0", "successor: '2.0.0'");
    MoveStable("2.0.0");
    DeregisterAllOf("1.0.0");
    clock_.Advance(model::kDefaultRollbackWindow);
  }
};

TEST_F(RetirementTest, WhatNobodyUsesIsRetiredAndStaysOnRecord) {
  Abandon();
  EXPECT_THAT(Blockers("1.0.0"), IsEmpty());
  const auto made = Retire("1.0.0", "reason: 'all have moved'");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->changed());
  EXPECT_EQ(made->version().version().state(), routing::v1::RETIRED);
  EXPECT_TRUE(made->version().has_retire_time());
  EXPECT_EQ(made->version().meta().revision(), store_.revision() - 1) << "and then it is freed";
  const v1::AuditRecord audit = NewestAudit();
  EXPECT_EQ(audit.command(), "version.retire");
  EXPECT_EQ(audit.reason(), "all have moved");
  EXPECT_EQ(audit.overridden(), "");
  EXPECT_FALSE(Call(GetVersionSchema, Book("1.0.0"))->descriptor_set().empty());
  EXPECT_EQ(Call(ListVersions, "service: 'addressbook'")->versions_size(), 2);
  EXPECT_FALSE(Retire("1.0.0")->changed());
  // For good: nothing comes to it any more, nor does it come back.
  EXPECT_EQ(Outcome(Register("addressbook", "1.0.0", 9001).status()),
            "FAILED_PRECONDITION VERSION_RETIRED");
  const absl::Status pinned = Pin("billing", "addressbook", "1.0.0").status();
  EXPECT_EQ(Outcome(pinned), "FAILED_PRECONDITION VERSION_RETIRED");
  EXPECT_THAT(std::string(pinned.message()), HasSubstr("its successor is 2.0.0"));
  EXPECT_EQ(Outcome(Pin("billing", "addressbook", "^1").status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(Call(ReactivateVersion, Book("1.0.0")).status()),
            "FAILED_PRECONDITION VERSION_RETIRED");
  EXPECT_EQ(Outcome(Call(DeprecateVersion, Book("1.0.0", "link: 'https://a'")).status()),
            "FAILED_PRECONDITION VERSION_RETIRED");
}

TEST_F(RetirementTest, EachBlockerIsNamedWithWhatClearsIt) {
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^1").ok());
  ASSERT_TRUE(Call(SetPin,
                   "pin { consumer: 'shipping' service: 'addressbook' method: "
                   "'/acme.AddressBook/Get' expression: '1.0.0' }")
                  .ok());
  EXPECT_THAT(
      Blockers("1.0.0"),
      ElementsAre("STATE addressbook 1.0.0: pinion version deprecate addressbook 1.0.0",
                  "PIN billing addressbook: pinion pin set billing addressbook VERSION",
                  "PIN shipping addressbook /acme.AddressBook/Get: pinion pin set shipping "
                  "addressbook VERSION --method /acme.AddressBook/Get",
                  "RANGE shipping addressbook: pinion pin set shipping addressbook VERSION",
                  "CHANNEL addressbook @stable: pinion channel set addressbook stable VERSION",
                  "INSTANCE 127.0.0.1:9001: pinion instance deregister addressbook 1.0.0 "
                  "127.0.0.1:9001"));
  const absl::Status refused = Retire("1.0.0").status();
  EXPECT_EQ(Outcome(refused), "FAILED_PRECONDITION VERSION_IN_USE");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("it is active, 2 pins, 1 pinned range, 1 channel, 1 instance; "
                        "`pinion version retire addressbook 1.0.0 --dry-run`"));
  Deprecate("1.0.0", absl::StrCat("successor: '2.0.0' sunset_time { seconds: ",
                                  absl::ToUnixSeconds(clock_.Wall() + absl::Hours(100)), " }"));
  EXPECT_THAT(Blockers("1.0.0")[0], HasSubstr("SUNSET_AHEAD addressbook 1.0.0: "));
  EXPECT_THAT(Blockers("1.0.0")[1], HasSubstr("pin set billing addressbook 2.0.0"));
  EXPECT_EQ(Blockers("2.0.0").size(), 2u) << "active, with an instance";
}

TEST_F(RetirementTest, WhoWasMovedMayComeBackForThreeDays) {
  ASSERT_TRUE(Publish("addressbook", "1.1.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^1").ok());
  Deprecate("1.0.0");
  DeregisterAllOf("1.0.0");
  MoveStable("2.0.0");
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  ASSERT_TRUE(Register("addressbook", "1.1.0", 9003).ok());  // ^1 means it from now on
  EXPECT_THAT(Blockers("1.0.0"), ElementsAre("ROLLBACK_WINDOW range ^1 with 1 pin: ",
                                             "ROLLBACK_WINDOW channel addressbook @stable: ",
                                             "ROLLBACK_WINDOW pin billing addressbook: "));
  EXPECT_EQ(Outcome(Retire("1.0.0").status()), "FAILED_PRECONDITION VERSION_IN_USE");
  // Back and forth again: the window begins anew.
  clock_.Advance(absl::Hours(70));
  const std::string pin = "consumer: 'billing' service: 'addressbook'";
  ASSERT_TRUE(Call(RollbackPin, pin).ok());
  EXPECT_THAT(Blockers("1.0.0"), ::testing::Contains(HasSubstr("PIN billing")));
  EXPECT_THAT(Blockers("2.0.0"), ::testing::Contains(HasSubstr("WINDOW pin billing")));
  ASSERT_TRUE(Call(RollbackPin, pin).ok());
  clock_.Advance(absl::Hours(3));
  EXPECT_THAT(Blockers("1.0.0"), ElementsAre("ROLLBACK_WINDOW pin billing addressbook: "));
  ASSERT_TRUE(Call(UnsetPin, pin).ok());
  clock_.Advance(absl::Hours(69) - absl::Seconds(1));
  EXPECT_EQ(Blockers("1.0.0").size(), 1u);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Blockers("1.0.0"), IsEmpty());
  EXPECT_TRUE(Retire("1.0.0").ok());
  EXPECT_EQ(
      store_
          .Range({.range = store::KeyRange::Prefix("records/rollback_window!addressbook!1.0.0!")})
          ->count,
      0);
}

TEST_F(RetirementTest, TheWindowIsAsLongAsTheRegistryIsToldAndMayBeNone) {
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  MoveStable("2.0.0");
  Deprecate("1.0.0");
  DeregisterAllOf("1.0.0");
  registry_ = *Registry::Open(store_, clock_, {.rollback_window = absl::Hours(200)});
  clock_.Advance(absl::Hours(199));
  EXPECT_THAT(Blockers("1.0.0"), ElementsAre("ROLLBACK_WINDOW channel addressbook @stable: ",
                                             "ROLLBACK_WINDOW pin billing addressbook: "));
  const auto blockers = Call(ListRetirementBlockers, Book("1.0.0"));
  EXPECT_EQ(blockers->blockers(0).until().seconds(),
            absl::ToUnixSeconds(clock_.Wall() + absl::Hours(1)));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Blockers("1.0.0"), IsEmpty());
  // Without a window what left a moment ago does not count.
  registry_ = *Registry::Open(store_, clock_, {.rollback_window = absl::ZeroDuration()});
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  EXPECT_THAT(Blockers("1.0.0"), IsEmpty());
  EXPECT_TRUE(Retire("1.0.0").ok());
}

TEST_F(RetirementTest, APinPastTheSunsetStaysAndComesBackButIsNotNew) {
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  Deprecate("1.0.0", absl::StrCat("successor: '2.0.0' sunset_time { seconds: ",
                                  absl::ToUnixSeconds(clock_.Wall() + absl::Hours(1)), " }"));
  clock_.Advance(absl::Hours(1));
  ASSERT_EQ(*SunsetDueVersions(*registry_), 1);
  EXPECT_EQ(Outcome(Pin("shipping", "addressbook", "1.0.0").status()),
            "FAILED_PRECONDITION VERSION_SUNSET");
  EXPECT_EQ(Outcome(Pin("shipping", "addressbook", "^1").status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_FALSE(Pin("billing", "addressbook", "1.0.0")->changed());
  ASSERT_TRUE(Pin("billing", "addressbook", "2.0.0").ok());
  EXPECT_TRUE(Call(RollbackPin, "consumer: 'billing' service: 'addressbook'").ok());
}

TEST_F(RetirementTest, ForceTakesAReasonAndTellsWhatItPassedOver) {
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^1").ok());
  ASSERT_TRUE(Register("addressbook", "1.0.0", 9005, 60).ok());
  EXPECT_EQ(Outcome(Retire("1.0.0", "force: true").status()), "INVALID_ARGUMENT ARGUMENT_INVALID");
  const auto made = Retire("1.0.0", "force: true reason: 'it leaks'");
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_EQ(made->moved_size(), 1);
  EXPECT_EQ(made->moved(0).new_version(), "");
  EXPECT_THAT(Call(ListInstances, "service: 'addressbook' version: '1.0.0'")->instances(),
              IsEmpty());
  const auto log = Call(ListAuditRecords, "page_size: 3");
  EXPECT_EQ(log->records(0).command(), "instance.deregister");
  EXPECT_EQ(log->records(0).reason(), "it is retired");
  EXPECT_EQ(log->records(2).command(), "version.retire");
  EXPECT_EQ(log->records(2).reason(), "it leaks");
  EXPECT_EQ(log->records(2).overridden(),
            "it is active, 1 pin, 1 pinned range, 1 channel, 2 instances");
  // The address is free for whoever comes next.
  EXPECT_TRUE(Register("addressbook", "2.0.0", 9001).ok());
}

TEST_F(RetirementTest, WhatACrashLeftBehindIsFreedLater) {
  Abandon();
  ASSERT_TRUE(Retire("1.0.0").ok());
  // As it is when the registry dies between the retirement and the freeing.
  ASSERT_TRUE(store_
                  .Commit({.then = {store::Put{model::FreeingKey("addressbook", "1.0.0"), ""},
                                    store::Put{model::RollbackWindowKey("addressbook", "1.0.0",
                                                                        "billing", ""),
                                               ""}}})
                  .ok());
  ASSERT_TRUE(FreeRetired(*registry_).ok());
  for (const std::string& prefix :
       {std::string(model::kFreeing), model::RollbackWindowsOf("addressbook", "1.0.0")}) {
    EXPECT_EQ(store_.Range({.range = store::KeyRange::Prefix(prefix)})->count, 0) << prefix;
  }
}

TEST_F(RetirementTest, ARetirementHoldsOnlyForTheRevisionThatWasMeant) {
  Abandon();
  EXPECT_EQ(Outcome(Retire("1.0.0", "expected_revision: 1").status()), "ABORTED REVISION_CONFLICT");
  EXPECT_EQ(Outcome(Retire("1.0.1").status()), "NOT_FOUND VERSION_NOT_FOUND");
}

TEST_F(RetirementTest, WhatWasNeverActiveCanBeDeletedAndPublishedAnew) {
  ASSERT_TRUE(
      Publish("addressbook", "3.0.0", DescriptorSetOf({"acme.AddressBook", "acme.Search"})).ok());
  ASSERT_TRUE(Publish("addressbook", "3.1.0").ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "3.0.0").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "~3.0").ok());
  EXPECT_EQ(Outcome(Call(DeleteVersion, Book("3.0.0")).status()),
            "FAILED_PRECONDITION VERSION_IN_USE");
  ASSERT_TRUE(Pin("billing", "addressbook", "^3").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "^3").ok());
  EXPECT_EQ(Outcome(Call(DeleteVersion, Book("3.0.0")).status()),
            "FAILED_PRECONDITION VERSION_IN_USE")
      << "billing may want to go back";
  clock_.Advance(model::kDefaultRollbackWindow);
  const auto deleted = Call(DeleteVersion, Book("3.0.0", "reason: 'a mistake'"));
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_THAT(deleted->released_grpc_services(), ElementsAre("acme.Search"));
  EXPECT_EQ(NewestAudit().command(), "version.delete");
  EXPECT_EQ(Outcome(Call(GetVersion, Book("3.0.0")).status()), "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(Pin("billing", "addressbook", "3.0.0").status()),
            "NOT_FOUND VERSION_NOT_FOUND");
  EXPECT_THAT(Call(GetService, "name: 'addressbook'")->service().grpc_services(),
              ElementsAre("acme.AddressBook"));
  EXPECT_TRUE(Publish("search", "1.0.0", DescriptorSetOf({"acme.Search"})).ok());
  const auto again = Publish("addressbook", "3.0.0", DescriptorSetOf({"acme.AddressBook"}, 2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->created());
  EXPECT_TRUE(Pin("billing", "addressbook", "3.0.0").ok());
}

// More than a transaction could compare one by one.
TEST_F(RetirementTest, ManyRangesThatNobodyPinsAnyMoreAreNoHindrance) {
  for (int i = 1; i <= 150; ++i) {
    ASSERT_TRUE(Pin("billing", "addressbook", absl::StrCat(">=1.0.0 <1.0.", i)).ok());
  }
  EXPECT_EQ(Outcome(Retire("1.0.0").status()), "FAILED_PRECONDITION VERSION_IN_USE");
  ASSERT_TRUE(Call(UnsetPin, "consumer: 'billing' service: 'addressbook'").ok());
  Abandon();
  EXPECT_THAT(Blockers("1.0.0"), IsEmpty());
  const auto made = Retire("1.0.0");
  EXPECT_TRUE(made.ok()) << made.status();
}

TEST_F(RetirementTest, ASuccessorIsNotDeleted) {
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  Deprecate("1.0.0", "successor: '3.0.0'");
  const absl::Status status = Call(DeleteVersion, Book("3.0.0")).status();
  EXPECT_EQ(Outcome(status), "FAILED_PRECONDITION VERSION_IN_USE");
  EXPECT_THAT(std::string(status.message()), HasSubstr("is the successor of 1.0.0"));
  Deprecate("1.0.0", "successor: '2.0.0'");
  EXPECT_TRUE(Call(DeleteVersion, Book("3.0.0")).ok());
}

TEST_F(RetirementTest, WhatWasActiveIsNotDeleted) {
  const absl::Status status = Call(DeleteVersion, Book("2.0.0")).status();
  EXPECT_EQ(Outcome(status), "FAILED_PRECONDITION VERSION_WAS_ACTIVE");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("`pinion version retire addressbook 2.0.0`"));
  EXPECT_EQ(Outcome(Call(DeleteVersion, Book("2.0.0", "expected_revision: 1")).status()),
            "ABORTED REVISION_CONFLICT");
}

// ---- the race ----

// Two threads, one version each round: one retires it while the other comes to it.
class RetirementRace : public ::testing::Test {
 protected:
  const store::RangeRequest kOneKey{.range = store::KeyRange::Prefix(model::kRegistryKey)};

  // Thousands on the store in memory, hundreds where each change waits for a disk.
  void Run(store::Store& store, int rounds, const std::string& expression) {
    auto registry = *Registry::Open(store, clock_);
    const Caller ann{"ann"};
    v1::CreateConsumerRequest consumer;
    consumer.mutable_consumer()->set_name("billing");
    ASSERT_TRUE(service::Run(*registry, CreateConsumer, ann, consumer).ok());
    std::barrier begin(2), end(2);
    std::string service;
    absl::Status pinned;
    std::thread pinner([&begin, &end, &service, &pinned, &registry, &ann, rounds, &expression] {
      for (int i = 0; i < rounds; ++i) {
        begin.arrive_and_wait();
        v1::SetPinRequest request;
        request.mutable_pin()->set_consumer("billing");
        request.mutable_pin()->set_service(service);
        request.mutable_pin()->set_expression(expression);
        pinned = service::Run(*registry, SetPin, ann, request).status();
        end.arrive_and_wait();
      }
    });
    int won[2] = {};
    for (int i = 0; i < rounds; ++i) {
      service = absl::StrCat("service-", i);
      Prepare(*registry, ann, service, expression);
      begin.arrive_and_wait();
      // Who comes first would else be the one with less to read.
      for (int reads = i % 64; reads > 0; --reads) (void)registry->store().Range(kOneKey);
      v1::RetireVersionRequest request;
      request.set_service(service);
      request.set_name("1.0.0");
      const absl::Status retired = RetireVersion(*registry, ann, request).status();
      end.arrive_and_wait();
      EXPECT_NE(retired.ok(), pinned.ok()) << service << ": " << retired << ", " << pinned;
      ++won[pinned.ok() ? 0 : 1];
    }
    pinner.join();
    RecordProperty("pins", won[0]);
    RecordProperty("retirements", won[1]);
  }

  // A version that nothing keeps, with the expression in use already, as it is in most races: then
  // a pin writes nothing that a retirement reads.
  static void Prepare(Registry& registry, const Caller& ann, const std::string& service,
                      const std::string& expression) {
    v1::PublishVersionRequest publish;
    publish.set_service(service);
    publish.set_name("1.0.0");
    ASSERT_TRUE(PublishVersion(registry, ann, publish).ok());
    v1::SetPinRequest pin;
    pin.mutable_pin()->set_consumer("billing");
    pin.mutable_pin()->set_service(service);
    pin.mutable_pin()->set_expression(expression);
    ASSERT_TRUE(service::Run(registry, SetPin, ann, pin).ok());
    v1::UnsetPinRequest unset;
    unset.set_consumer("billing");
    unset.set_service(service);
    ASSERT_TRUE(service::Run(registry, UnsetPin, ann, unset).ok());
    // The pin that has gone could come back; nobody waits for three days here.
    store::Txn txn;
    txn.then.push_back(store::Delete{model::RollbackWindowKey(service, "1.0.0", "billing", "")});
    ASSERT_TRUE(registry.store().Commit(std::move(txn)).ok());
  }

  testing::FakeClock clock_;
};

TEST_F(RetirementRace, NoPinOnItsNameComesToARetiredVersion) {
  store::MemoryStore store(clock_);
  Run(store, 4000, "1.0.0");
}

TEST_F(RetirementRace, NoRangeThatNeedsItComesToARetiredVersion) {
  store::MemoryStore store(clock_);
  Run(store, 4000, "^1");
}

TEST_F(RetirementRace, NorOnTheDisk) {
  const testing::TempDirectory directory;
  auto store = store::SqliteStore::Open(directory.Path("store"), clock_);
  ASSERT_TRUE(store.ok()) << store.status();
  Run(**store, 100, "1.0.0");
}

}  // namespace
}  // namespace pinion::service
