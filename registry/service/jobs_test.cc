// Jobs: many pins moved, changes that come later, what is passed over, and what ends half-way.
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobsTest : public RegistryFixture {
 protected:
  // addressbook 1.0.0 and 2.0.0, both active.
  void SetUp() override {
    SetUpAddressBook();
    ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
    ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  }

  static std::string Name(int i) { return absl::StrCat("c", absl::Dec(i, absl::kZeroPad3)); }
  // Consumers c000, c001, … pinned to `expression`.
  void AddPinned(int count, const std::string& expression, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      const std::string name = Name(i);
      ASSERT_TRUE(Call(CreateConsumer, absl::StrCat("consumer { name: '", name, "' }")).ok());
      ASSERT_TRUE(Pin(name, "addressbook", expression).ok());
    }
  }
  absl::StatusOr<v1::Job> Start(const std::string& text) { return Call(StartJob, text); }
  absl::StatusOr<v1::Job> Move(const std::string& from, const std::string& to,
                               const std::string& rest = "") {
    return Start(absl::StrCat("move_pins { service: 'addressbook' from: '", from, "' to: '", to,
                              "' } ", rest));
  }
  v1::Job Get(int64_t id) { return *Call(GetJob, absl::StrCat("id: ", id)); }
  // Of those that are to begin at 2000000000.
  void WaitForStart() { clock_.Advance(absl::FromUnixSeconds(2'000'000'000) - clock_.Wall()); }
  void RunAll(int rounds_max = 1000) {
    absl::StatusOr<bool> more = true;
    for (int i = 0; i < rounds_max && more.ok() && *more; ++i) more = RunJobs(*registry_);
    ASSERT_TRUE(more.ok()) << more.status();
    ASSERT_FALSE(*more);
  }
  std::string Says(const std::string& consumer) {
    const auto pin =
        Call(GetPin, absl::StrCat("consumer: '", consumer, "' service: 'addressbook'"));
    return pin.ok() ? pin->pin().expression() : Outcome(pin.status());
  }
  // "changed unchanged failed of total" of the job.
  std::string Counts(int64_t id) {
    const v1::Job job = Get(id);
    return absl::StrCat(v1::Job::State_Name(job.state()), " ", job.changed(), " ", job.unchanged(),
                        " ", job.failed(), " of ", job.pins_total());
  }
};

TEST_F(JobsTest, EveryPinThatSaysTheExpressionMovesAndEachIsOnRecord) {
  AddPinned(250, "^1");
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Call(SetPin,
                   "pin { consumer: 'shipping' service: 'addressbook' method: "
                   "'/acme.AddressBook/Get' expression: '^1' }")
                  .ok());
  const auto job = Move("^1.0", "^2", "reason: 'all are ready'");
  EXPECT_EQ(Outcome(job.status()), "OK");
  ASSERT_EQ(job->id(), 1);
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 0 0 0 of 0") << "^1.0 is another expression than ^1";

  ASSERT_EQ(Move("^1", "^2", "reason: 'all are ready'")->id(), 2);
  RunAll();
  EXPECT_EQ(Counts(2), "DONE 251 0 0 of 251");
  EXPECT_EQ(Says("c000"), "^2");
  EXPECT_EQ(Says("c249"), "^2");
  EXPECT_EQ(Says("billing"), "1.0.0");
  const auto history = Call(ListPinHistory, "consumer: 'c123' service: 'addressbook'");
  EXPECT_EQ(history->changes(0).job(), 2);
  EXPECT_EQ(history->changes(0).reason(), "job 2: all are ready");
  EXPECT_EQ(history->changes(0).actor(), "ann");
  EXPECT_EQ(NewestAudit().command(), "job.finish");
  EXPECT_EQ(Call(ListAuditRecords, "object_contains: 'c123'")->records(0).command(), "pin.set");
}

TEST_F(JobsTest, AJobGoesOnWhereItWasAndCountsEachPinOnce) {
  AddPinned(500, "^1");
  ASSERT_TRUE(Move("^1", "^2").ok());
  ASSERT_TRUE(*RunJobs(*registry_));
  const v1::Job half = Get(1);
  EXPECT_EQ(half.state(), v1::Job::RUNNING);
  EXPECT_EQ(half.changed(), 32 * 12);
  EXPECT_EQ(half.pins_total(), 500);
  // As after a restart; and another pin that comes behind where the job is, stays.
  registry_ = *Registry::Open(store_, clock_);
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 500 0 0 of 500");
  EXPECT_EQ(Says("billing"), "^1");
}

TEST_F(JobsTest, TwoRegistriesOnOneStoreChangeEachPinOnce) {
  AddPinned(300, "^1");
  ASSERT_TRUE(Move("^1", "^2").ok());
  const auto other = *Registry::Open(store_, clock_);
  std::thread second([&other] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(RunJobs(*other).ok());
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(RunJobs(*registry_).ok());
  second.join();
  EXPECT_EQ(Counts(1), "DONE 300 0 0 of 300");
  EXPECT_EQ(Call(ListPinHistory, "consumer: 'c007' service: 'addressbook'")->changes_size(), 2);
}

TEST_F(JobsTest, AJobEndsWhereWhoStartedItLostTheRightTo) {
  AddPinned(500, "^1");
  ASSERT_TRUE(Move("^1", "^2").ok());
  absl::Status verdict;
  const JobRights rights = [&verdict](Draft&, const v1::JobRecord& record) {
    EXPECT_EQ(record.job().id(), 1);
    return verdict;
  };
  ASSERT_TRUE(*RunJobs(*registry_, rights));
  verdict = absl::UnavailableError("the store is away");
  EXPECT_EQ(RunJobs(*registry_, rights).status(), verdict);
  EXPECT_EQ(Counts(1), "RUNNING 384 0 0 of 500") << "nobody knows, so it waits";
  verdict = absl::PermissionDeniedError("ann is no operator");
  ASSERT_FALSE(*RunJobs(*registry_, rights));
  EXPECT_EQ(Counts(1), "CANCELLED 384 0 1 of 500");
  const v1::Job job = Get(1);
  ASSERT_EQ(job.failures_size(), 1);
  EXPECT_EQ(job.failures(0).pin(), "c384 addressbook");
  EXPECT_EQ(job.failures(0).message(),
            "the job ended before this pin, since who started it has lost the right to: ann is no "
            "operator");
  EXPECT_EQ(Says("c383"), "^2");
  EXPECT_EQ(Says("c384"), "^1");
  EXPECT_EQ(NewestAudit().command(), "job.cancel");
  EXPECT_EQ(NewestAudit().reason(), job.failures(0).message());
  verdict = absl::OkStatus();
  ASSERT_FALSE(*RunJobs(*registry_, rights));
  EXPECT_EQ(Says("c384"), "^1") << "what has ended does not go on";
}

TEST_F(JobsTest, WhatCannotBeMovedIsToldAndPassedOver) {
  AddPinned(3, "^1");
  ASSERT_TRUE(Publish("addressbook", "3.0.0").ok());
  ASSERT_TRUE(Move("^1", "3.0.0", "start_time { seconds: 2000000000 }").ok());
  ASSERT_TRUE(Call(RetireVersion, "service: 'addressbook' name: '3.0.0'").ok());
  WaitForStart();
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 0 0 3 of 3");
  const v1::Job job = Get(1);
  ASSERT_EQ(job.failures_size(), 3);
  EXPECT_EQ(job.failures(1).pin(), "c001 addressbook");
  EXPECT_THAT(job.failures(1).message(), HasSubstr("3.0.0 is retired"));
  EXPECT_EQ(Says("c001"), "^1");
  EXPECT_EQ(Call(ListAuditRecords, "object_contains: 'c001'")->records(0).command(), "job.skip");
}

// They share a transaction with others that can.
TEST_F(JobsTest, OnePinThatCannotBeMovedKeepsNoOtherFromIt) {
  AddPinned(60, "^1");
  Damage({model::ConsumerKey("c020"), model::ConsumerKey("c022")});
  ASSERT_TRUE(Move("^1", "^2").ok());
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 58 0 2 of 60");
  const v1::Job job = Get(1);
  EXPECT_EQ(job.failures(0).pin(), "c020 addressbook");
  EXPECT_EQ(job.failures(1).pin(), "c022 addressbook");
  EXPECT_EQ(Says("c021"), "^2");
  EXPECT_EQ(Call(ListAuditRecords, "object_contains: 'c021'")->records(0).command(), "pin.set");
}

TEST_F(JobsTest, HoweverManyPinsCannotBeMovedTheirJobsEnd) {
  const struct {
    int jobs;
    int refused;  // of each, between one that can be moved and another
  } kCases[] = {{20, 1}, {3, 12}, {40, 2}};
  int consumers = 0;
  int64_t id = 0;
  for (const auto& c : kCases) {
    std::vector<std::string> damaged;
    for (int job = 0; job < c.jobs; ++job) {
      const std::string from = absl::StrCat(">=0.", c.jobs, ".", job);
      AddPinned(c.refused + 2, from, consumers);
      for (int i = 1; i <= c.refused; ++i)
        damaged.push_back(model::ConsumerKey(Name(consumers + i)));
      consumers += c.refused + 2;
      ASSERT_TRUE(Move(from, "2.0.0").ok());
    }
    Damage(damaged);
    RunAll(/*rounds_max=*/3);
    for (int job = 0; job < c.jobs; ++job) {
      EXPECT_EQ(Counts(++id), absl::StrCat("DONE 2 0 ", c.refused, " of ", c.refused + 2));
    }
  }
}

// Each of a step's pins would make room for it, by more conditions than a transaction may have.
TEST_F(JobsTest, WhereThereIsNoRoomForTheExpressionOnePinMakesIt) {
  AddPinned(30, "^1");
  ASSERT_TRUE(Move("^1", "^2", "start_time { seconds: 2000000000 }").ok());
  FillExpressions("addressbook");
  Damage({model::ConsumerKey("c000")});
  WaitForStart();
  RunAll(/*rounds_max=*/3);
  EXPECT_EQ(Counts(1), "DONE 29 0 1 of 30");
  EXPECT_EQ(Says("c029"), "^2");
  EXPECT_EQ(model::Find(ExpressionsOf("addressbook"), "^2"), "2.0.0");
}

TEST_F(JobsTest, AnEntitlementHoldsForJobsToo) {
  AddPinned(3, "^1");
  ASSERT_TRUE(Call(SetEntitlement,
                   "entitlement { consumer: 'c001' service: 'addressbook' expression: '^1' }")
                  .ok());
  ASSERT_TRUE(Move("^1", "^2").ok());
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 2 0 1 of 3");
  EXPECT_THAT(Get(1).failures(0).message(), HasSubstr("'^1'"));
  EXPECT_EQ(Says("c001"), "^1");
}

TEST_F(JobsTest, APinChangesAtItsTimeAndNotBefore) {
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  const int64_t monday = absl::ToUnixSeconds(clock_.Wall() + absl::Hours(60));
  const auto job = Start(absl::StrCat(
      "set_pin { pin { consumer: 'billing' service: 'addressbook' expression: '^2' } reason: 'new "
      "code' } start_time { seconds: ",
      monday, " }"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::Job::SCHEDULED);
  clock_.Advance(absl::Hours(60) - absl::Seconds(1));
  RunAll();
  EXPECT_EQ(Says("billing"), "^1");
  EXPECT_EQ(Counts(1), "SCHEDULED 0 0 0 of 0");
  clock_.Advance(absl::Seconds(1));
  RunAll();
  EXPECT_EQ(Says("billing"), "^2");
  EXPECT_EQ(Counts(1), "DONE 1 0 0 of 1");
  const auto history = Call(ListPinHistory, "consumer: 'billing' service: 'addressbook'");
  EXPECT_EQ(history->changes(0).reason(), "job 1: new code");
}

TEST_F(JobsTest, AScheduledChangeOfAPinThatSomebodyHasChangedSinceIsNotMade) {
  const auto pin = Pin("billing", "addressbook", "^1");
  ASSERT_TRUE(
      Start(absl::StrCat("set_pin { pin { consumer: 'billing' service: 'addressbook' "
                         "expression: '^2' } expected_revision: ",
                         pin->pin().meta().revision(), " } start_time { seconds: 2000000000 }"))
          .ok());
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  WaitForStart();
  RunAll();
  EXPECT_EQ(Counts(1), "DONE 0 0 1 of 1");
  EXPECT_EQ(Says("billing"), "1.0.0");
}

TEST_F(JobsTest, UndoingAJobLeavesWhatOthersHaveChangedSince) {
  AddPinned(220, "^1");
  ASSERT_TRUE(Pin("billing", "addressbook", "^2").ok()) << "was there before the job";
  ASSERT_TRUE(Move("^1", "^2").ok());
  RunAll();
  ASSERT_TRUE(Pin("c010", "addressbook", "2.0.0").ok());
  ASSERT_TRUE(Pin("c011", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Pin("c011", "addressbook", "^2").ok()) << "a person's word now";
  const auto undo = Start("undo_job { id: 1 } reason: 'errors'");
  ASSERT_TRUE(undo.ok()) << undo.status();
  RunAll();
  EXPECT_EQ(Counts(2), "DONE 218 2 0 of 220") << "billing and c011 are passed";
  EXPECT_EQ(Says("c000"), "^1");
  EXPECT_EQ(Says("c010"), "2.0.0");
  EXPECT_EQ(Says("c011"), "^2");
  EXPECT_EQ(Says("billing"), "^2");

  ASSERT_TRUE(Start("undo_job { id: 2 }").ok());
  RunAll();
  EXPECT_EQ(Counts(3), "DONE 218 0 0 of 218") << "undone twice is where one began";
  EXPECT_EQ(Says("c000"), "^2");
}

TEST_F(JobsTest, UndoingTheJobThatMadeAPinRemovesIt) {
  ASSERT_TRUE(
      Start("set_pin { pin { consumer: 'billing' service: 'addressbook' expression: '^2' } }")
          .ok());
  RunAll();
  EXPECT_EQ(Says("billing"), "^2");
  ASSERT_TRUE(Start("undo_job { id: 1 }").ok());
  RunAll();
  EXPECT_EQ(Counts(2), "DONE 1 0 0 of 1");
  EXPECT_EQ(Says("billing"), "NOT_FOUND PIN_NOT_FOUND");
  ASSERT_TRUE(Start("undo_job { id: 2 }").ok());
  RunAll();
  EXPECT_EQ(Counts(3), "DONE 1 0 0 of 1");
  EXPECT_EQ(Says("billing"), "^2") << "undone twice is where one began";
  std::vector<int64_t> jobs;
  const auto history = Call(ListPinHistory, "consumer: 'billing' service: 'addressbook'");
  for (const v1::PinChange& change : history->changes()) jobs.push_back(change.job());
  EXPECT_THAT(jobs, ElementsAre(3, 2, 1));
}

TEST_F(JobsTest, CancellingKeepsWhatIsDoneAndStopsTheRest) {
  AddPinned(500, "^1");
  ASSERT_TRUE(Move("^1", "^2").ok());
  ASSERT_TRUE(*RunJobs(*registry_));
  EXPECT_EQ(Outcome(Start("undo_job { id: 1 }").status()), "FAILED_PRECONDITION JOB_OPEN");
  ASSERT_TRUE(Call(CancelJob, "id: 1 reason: 'too many errors'").ok());
  EXPECT_EQ(NewestAudit().command(), "job.cancel");
  RunAll();
  EXPECT_EQ(Counts(1), "CANCELLED 384 0 0 of 500");
  const store::Revision before = store_.revision();
  ASSERT_TRUE(Call(CancelJob, "id: 1").ok());
  EXPECT_EQ(store_.revision(), before) << "it is so already";
  ASSERT_TRUE(Start("undo_job { id: 1 }").ok());
  RunAll();
  EXPECT_EQ(Says("c000"), "^1");
  EXPECT_EQ(Outcome(Call(CancelJob, "id: 2").status()), "FAILED_PRECONDITION JOB_ENDED");
}

TEST_F(JobsTest, WhatCannotBeMeantIsRefusedAtOnce) {
  AddPinned(1, "^1");
  ASSERT_TRUE(Call(CreateService, "service { name: 'db' scheme: INTEGER } kind: DATABASE").ok());
  const struct {
    const char* text;
    const char* outcome;
  } kCases[] = {
      {"", "INVALID_ARGUMENT ARGUMENT_INVALID"},
      {"move_pins { service: 'nothing' from: '^1' to: '^2' }", "NOT_FOUND SERVICE_UNKNOWN"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^^1' }",
       "INVALID_ARGUMENT PIN_MALFORMED"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^1' }",
       "INVALID_ARGUMENT ARGUMENT_INVALID"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^9' }", "NOT_FOUND VERSION_NOT_FOUND"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^2' drain { seconds: -1 } }",
       "INVALID_ARGUMENT ARGUMENT_INVALID"},
      {"set_pin { pin { consumer: 'nobody' service: 'addressbook' expression: '^2' } }",
       "NOT_FOUND CONSUMER_UNKNOWN"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^2' } start_time { seconds: 1 }",
       "INVALID_ARGUMENT ARGUMENT_INVALID"},
      {"move_pins { service: 'addressbook' from: '^1' to: '^2' } start_time { seconds: "
       "9000000000 }",
       "INVALID_ARGUMENT ARGUMENT_INVALID"},
      {"move_pins { service: 'db' from: '1' to: '2' } start_time { seconds: 2000000000 }",
       "FAILED_PRECONDITION SERVICE_IS_DATABASE"},
      {"undo_job { id: 7 }", "NOT_FOUND JOB_UNKNOWN"},
      {"undo_job { id: -7 }", "NOT_FOUND JOB_UNKNOWN"},
  };
  const store::Revision before = store_.revision();
  for (const auto& c : kCases) EXPECT_EQ(Outcome(Start(c.text).status()), c.outcome) << c.text;
  EXPECT_EQ(store_.revision(), before) << "nothing half done";
  EXPECT_TRUE(Move("^1", "^9", "start_time { seconds: 2000000000 }").ok())
      << "it may be there by then";
}

TEST_F(JobsTest, OneChangeDoesNotWaitForAnotherJobsEnd) {
  AddPinned(500, "^1");
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  ASSERT_TRUE(Move("^1", "^2").ok());
  ASSERT_TRUE(
      Start("set_pin { pin { consumer: 'billing' service: 'addressbook' expression: '2.0.0' } }")
          .ok());
  ASSERT_TRUE(*RunJobs(*registry_));
  EXPECT_EQ(Says("billing"), "2.0.0");
  EXPECT_EQ(Get(1).state(), v1::Job::RUNNING);
}

TEST_F(JobsTest, MoreJobsThanARoundHasStepsForAllEnd) {
  constexpr int kJobs = 70;  // and than it looks at
  AddPinned(kJobs, "^1");
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(Start(absl::StrCat("set_pin { pin { consumer: '", Name(i),
                                   "' service: 'addressbook' expression: '^2' } } start_time { "
                                   "seconds: 2000000000 }"))
                    .ok());
  }
  WaitForStart();
  RunAll(/*rounds_max=*/2);
  for (int i = 0; i < kJobs; ++i) EXPECT_EQ(Says(Name(i)), "^2");
}

TEST_F(JobsTest, ListsAreNewestFirstAndCanLeaveOutWhatHasEnded) {
  AddPinned(1, "^1");
  ASSERT_TRUE(Move("^1", "^2").ok());
  RunAll();
  ASSERT_TRUE(Move("^2", "^1", "start_time { seconds: 2000000000 }").ok());
  const auto ids = [this](const std::string& request) {
    std::vector<int64_t> found;
    const auto list = Call(ListJobs, request);
    for (const v1::Job& job : list->jobs()) found.push_back(job.id());
    return found;
  };
  EXPECT_THAT(ids(""), ElementsAre(2, 1));
  EXPECT_THAT(ids("open: true"), ElementsAre(2));
}

TEST_F(JobsTest, DamagedJobsDoNotKeepOthersFromGoingOn) {
  AddPinned(1, "^1");
  ASSERT_TRUE(Move("^2", "^1").ok());
  ASSERT_TRUE(Move("^1", "^2").ok());
  Damage({model::JobKey(1), absl::StrCat(model::kJobsDue, "0")});
  EXPECT_EQ(Outcome(RunJobs(*registry_).status()), "DATA_LOSS RECORD_DAMAGED");
  EXPECT_EQ(Says("c000"), "^2");
}

}  // namespace
}  // namespace pinion::service
