#include "registry/service/check_roster.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pinion::service {
namespace {

using probe::Question;
using registry::v1::InstanceCheck;

registry::v1::Instance Instance(const std::string& uid, const std::string& zone = "",
                                model::Verdict verdict = InstanceCheck::VERDICT_UNSPECIFIED) {
  registry::v1::Instance instance;
  instance.mutable_instance()->set_service("addressbook");
  instance.mutable_instance()->set_uid(uid);
  instance.mutable_instance()->set_zone(zone);
  if (verdict != InstanceCheck::VERDICT_UNSPECIFIED) instance.mutable_check()->set_verdict(verdict);
  return instance;
}

CheckRoster::Result Ready() { return {.schema = Finding{.verdict = InstanceCheck::READY}}; }
CheckRoster::Result Unreachable() {
  return {.against = Finding{.verdict = InstanceCheck::UNREACHABLE}};
}

class CheckRosterTest : public ::testing::Test {
 protected:
  // Takes what is due at its time and finishes it.
  CheckRoster::Outcome CheckNext(const CheckRoster::Result& result) {
    now_ = std::max(now_, roster_.NextDue());
    const auto task = roster_.TakeDue(now_);
    EXPECT_TRUE(task.has_value());
    asked_ = task->schema;
    const auto outcome = roster_.Finish(task->instance.instance().uid(), result, now_);
    EXPECT_TRUE(outcome.has_value());
    return *outcome;
  }
  // As the registry's record says after a change.
  void Stands(model::Verdict verdict) { roster_.Put(Instance("a", "", verdict), now_); }

  absl::Time now_ = absl::UnixEpoch();
  CheckRoster roster_{{.health_interval = absl::Seconds(10), .schema_interval = absl::Minutes(5)},
                      /*seed=*/7};
  Question::Schema asked_ = Question::Schema::kNo;
};

TEST_F(CheckRosterTest, ANewInstanceIsDueAtOnceAndThenFromTimeToTime) {
  EXPECT_EQ(roster_.NextDue(), absl::InfiniteFuture());
  roster_.Put(Instance("a"), now_);
  EXPECT_EQ(roster_.NextDue(), now_);
  EXPECT_EQ(CheckNext(Ready()).verdict.verdict, InstanceCheck::READY);
  EXPECT_EQ(asked_, Question::Schema::kYes);
  Stands(InstanceCheck::READY);
  for (int i = 0; i < 10; ++i) CheckNext({});
  EXPECT_EQ(asked_, Question::Schema::kIfReconnected);
  const absl::Duration wait = roster_.NextDue() - now_;
  EXPECT_GE(wait, absl::Seconds(8));
  EXPECT_LE(wait, absl::Seconds(12));
}

TEST_F(CheckRosterTest, OneThatIsBeingCheckedIsNotDue) {
  roster_.Put(Instance("a"), now_);
  ASSERT_TRUE(roster_.TakeDue(now_).has_value());
  EXPECT_FALSE(roster_.TakeDue(now_ + absl::Hours(1)).has_value());
  roster_.Put(Instance("a", "west"), now_);
  EXPECT_FALSE(roster_.TakeDue(now_).has_value());
  roster_.Finish("a", Ready(), now_);
  EXPECT_TRUE(roster_.TakeDue(now_).has_value()) << "it was registered anew meanwhile";
}

TEST_F(CheckRosterTest, OneThatCouldNotBeCheckedComesAgainAndNothingWasFound) {
  roster_.Put(Instance("a", "", InstanceCheck::READY), now_);
  CheckNext(Ready());
  const CheckRoster::Result not_serving = {.against =
                                               Finding{.verdict = InstanceCheck::NOT_SERVING}};
  EXPECT_EQ(CheckNext(not_serving).verdict.verdict, InstanceCheck::READY) << "found once";
  now_ = roster_.NextDue();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(roster_.TakeDue(now_).has_value());
    roster_.Postpone("a", now_);
    EXPECT_GE(roster_.NextDue() - now_, absl::Seconds(8));
    EXPECT_LE(roster_.NextDue() - now_, absl::Seconds(12));
    now_ = roster_.NextDue();
  }
  EXPECT_EQ(CheckNext(not_serving).verdict.verdict, InstanceCheck::NOT_SERVING) << "found twice";
  now_ = roster_.NextDue();
  ASSERT_TRUE(roster_.TakeDue(now_).has_value());
  roster_.Hasten("addressbook", now_);
  roster_.Postpone("a", now_);
  EXPECT_EQ(roster_.NextDue(), now_) << "somebody wants to know";
  roster_.Postpone("gone", now_);
}

TEST_F(CheckRosterTest, TheSchemaIsAskedForSeldomAndAfterSilence) {
  roster_.Put(Instance("a"), now_);
  const absl::Time begin = now_;
  CheckNext(Ready());
  Stands(InstanceCheck::READY);
  int asked = 0;
  while (now_ < begin + absl::Minutes(60)) {
    CheckNext({});
    if (asked_ != Question::Schema::kYes) continue;
    ++asked;
    roster_.Finish("a", Ready(), now_);
  }
  EXPECT_GE(asked, 9);
  EXPECT_LE(asked, 16);
  CheckNext(Unreachable());
  CheckNext(Ready());
  EXPECT_EQ(asked_, Question::Schema::kYes) << "another server may have taken its address";
}

TEST_F(CheckRosterTest, WhatIsFoundOnceDoesNotStandYet) {
  roster_.Put(Instance("a", "", InstanceCheck::READY), now_);
  const CheckRoster::Result drifted = {
      .schema = Finding{.verdict = InstanceCheck::DRIFTED, .message = "lacks a method"}};
  CheckRoster::Outcome outcome = CheckNext(drifted);
  EXPECT_EQ(outcome.found.verdict, InstanceCheck::DRIFTED);
  EXPECT_EQ(outcome.verdict.verdict, InstanceCheck::READY);
  EXPECT_LE(roster_.NextDue() - now_, absl::Seconds(2)) << "it is asked again soon";
  outcome = CheckNext(drifted);
  EXPECT_EQ(asked_, Question::Schema::kYes);
  EXPECT_EQ(outcome.verdict.verdict, InstanceCheck::DRIFTED);
  EXPECT_EQ(outcome.verdict.message, "lacks a method");
}

TEST_F(CheckRosterTest, ToAndFroSettlesNothing) {
  roster_.Put(Instance("a", "", InstanceCheck::READY), now_);
  CheckNext(Ready());
  const CheckRoster::Result not_serving = {.against =
                                               Finding{.verdict = InstanceCheck::NOT_SERVING}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(CheckNext(not_serving).verdict.verdict, InstanceCheck::READY);
    EXPECT_EQ(CheckNext({}).verdict.verdict, InstanceCheck::READY);
  }
}

TEST_F(CheckRosterTest, AnotherPolicyHastensOnlyItsService) {
  roster_.Put(Instance("a"), now_);
  CheckNext(Ready());
  roster_.Hasten("ledger", now_);
  EXPECT_GT(roster_.NextDue(), now_);
  roster_.Hasten("addressbook", now_);
  EXPECT_EQ(roster_.NextDue(), now_);
}

TEST_F(CheckRosterTest, OneThatIsGoneIsForgotten) {
  roster_.Put(Instance("a"), now_);
  ASSERT_TRUE(roster_.TakeDue(now_).has_value());
  roster_.Remove("a");
  EXPECT_FALSE(roster_.Finish("a", Ready(), now_).has_value());
  EXPECT_TRUE(roster_.empty());
  EXPECT_EQ(roster_.NextDue(), absl::InfiniteFuture());
}

TEST_F(CheckRosterTest, VeryManyThatDoNotAnswerAreAskedSeldomUnlessCallsWaitForThem) {
  constexpr int kMany = 20'000;
  const auto uid = [](int i) { return absl::StrCat("many-", i); };
  for (int i = 0; i < kMany; ++i) {
    registry::v1::Instance instance = Instance(uid(i), "", InstanceCheck::UNREACHABLE);
    instance.mutable_check()->set_held_back(i == 0);
    roster_.Put(instance, now_);
    roster_.Finish(uid(i), Unreachable(), now_);
  }
  for (int i = 0; i < kMany; ++i) {
    for (int times = 0; times < 10; ++times) roster_.Finish(uid(i), Unreachable(), now_);
  }
  EXPECT_LE(roster_.NextDue() - now_, absl::Seconds(72));
  EXPECT_EQ(roster_.TakeDue(now_ + absl::Seconds(72))->instance.instance().uid(), uid(0));
  EXPECT_GE(roster_.NextDue() - now_, absl::Seconds(160)) << "200, more or less";
  for (int i = 0; i < kMany - 1; ++i) roster_.Remove(uid(i));
  EXPECT_LE(roster_.NextDue() - now_, absl::Seconds(240));
  // Alone again, it is asked as before.
  roster_.Finish(uid(kMany - 1), Unreachable(), now_);
  EXPECT_LE(roster_.NextDue() - now_, absl::Seconds(72));
}

}  // namespace
}  // namespace pinion::service
