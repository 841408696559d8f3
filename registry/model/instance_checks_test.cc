#include "registry/model/instance_checks.h"

#include "gtest/gtest.h"

namespace pinion::model {
namespace {

using registry::v1::InstanceCheck;
using registry::v1::Service;

constexpr Verdict kUnknown = InstanceCheck::VERDICT_UNSPECIFIED;

TEST(InstanceChecks, WhatEachPolicyHoldsBack) {
  struct Row {
    Verdict verdict;
    // Held back, of one that was not before, and of one that was.
    bool off[2];
    bool warn[2];
    bool enforce[2];
  };
  const Row rows[] = {
      {kUnknown, {false, false}, {false, false}, {false, true}},
      {InstanceCheck::READY, {false, false}, {false, false}, {false, false}},
      {InstanceCheck::UNPROVEN, {false, false}, {false, false}, {false, true}},
      {InstanceCheck::DRIFTED, {false, false}, {false, false}, {true, true}},
      {InstanceCheck::NOT_SERVING, {false, false}, {true, true}, {true, true}},
      {InstanceCheck::UNREACHABLE, {false, false}, {false, false}, {false, true}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(InstanceCheck::Verdict_Name(row.verdict));
    for (const bool was : {false, true}) {
      EXPECT_EQ(HeldBack(Service::OFF, row.verdict, was), row.off[was]);
      EXPECT_EQ(HeldBack(Service::WARN, row.verdict, was), row.warn[was]);
      EXPECT_EQ(HeldBack(Service::ENFORCE, row.verdict, was), row.enforce[was]);
    }
  }
}

TEST(InstanceChecks, HowOftenSomethingMustBeFound) {
  struct Row {
    Verdict standing;
    Verdict found;
    int needed;
  };
  const Row rows[] = {
      {kUnknown, InstanceCheck::READY, 1},
      {kUnknown, InstanceCheck::DRIFTED, 1},
      {kUnknown, InstanceCheck::NOT_SERVING, 1},
      {kUnknown, InstanceCheck::UNREACHABLE, 3},
      {InstanceCheck::READY, InstanceCheck::NOT_SERVING, 2},
      {InstanceCheck::READY, InstanceCheck::DRIFTED, 2},
      {InstanceCheck::READY, InstanceCheck::UNREACHABLE, 3},
      {InstanceCheck::UNREACHABLE, InstanceCheck::READY, 1},
      {InstanceCheck::NOT_SERVING, InstanceCheck::READY, 2},
      {InstanceCheck::NOT_SERVING, InstanceCheck::UNREACHABLE, 0},
      {InstanceCheck::DRIFTED, InstanceCheck::UNREACHABLE, 0},
      {InstanceCheck::DRIFTED, InstanceCheck::READY, 1},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(FindingsNeeded(row.standing, row.found), row.needed)
        << InstanceCheck::Verdict_Name(row.standing) << " → "
        << InstanceCheck::Verdict_Name(row.found);
  }
}

TEST(InstanceChecks, SoonAfterSomethingNewThenSeldom) {
  const absl::Duration interval = absl::Seconds(10);
  EXPECT_EQ(NextCheckIn(InstanceCheck::READY, 1, interval), absl::Seconds(1));
  EXPECT_EQ(NextCheckIn(InstanceCheck::READY, 4, interval), absl::Seconds(8));
  EXPECT_EQ(NextCheckIn(InstanceCheck::READY, 5, interval), interval);
  EXPECT_EQ(NextCheckIn(InstanceCheck::READY, 1'000'000, interval), interval);
  EXPECT_EQ(NextCheckIn(InstanceCheck::UNREACHABLE, 100, interval), absl::Minutes(1));
  EXPECT_EQ(NextCheckIn(InstanceCheck::READY, 1, absl::Milliseconds(200)), absl::Milliseconds(200));
}

TEST(InstanceChecks, WhatAnOperatorIsWarnedOf) {
  struct Row {
    Verdict before;
    Verdict after;
    bool held_back;
    bool warning;
  };
  const Row rows[] = {
      {kUnknown, InstanceCheck::READY, false, false},
      {kUnknown, InstanceCheck::READY, true, true},  // its version cannot become active
      {kUnknown, InstanceCheck::UNPROVEN, false, false},
      {kUnknown, InstanceCheck::UNPROVEN, true, true},
      {InstanceCheck::READY, InstanceCheck::UNPROVEN, false, true},
      {InstanceCheck::UNREACHABLE, InstanceCheck::UNPROVEN, false, false},
      {kUnknown, InstanceCheck::UNREACHABLE, false, true},
      {kUnknown, InstanceCheck::DRIFTED, false, true},
      {InstanceCheck::READY, InstanceCheck::NOT_SERVING, true, true},
      {InstanceCheck::NOT_SERVING, kUnknown, false, false},  // nothing is verified any more
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(VerdictText(row.before) + " → " + VerdictText(row.after));
    InstanceCheck before;
    before.set_verdict(row.before);
    InstanceCheck after;
    after.set_verdict(row.after);
    after.set_held_back(row.held_back);
    EXPECT_EQ(WorthAWarning(before, after), row.warning);
  }
}

TEST(InstanceChecks, ManyUnreachableOnesAreAskedAHundredTimesASecond) {
  const absl::Duration longest = absl::Minutes(5);
  EXPECT_EQ(UnreachableCheckIn(1, longest), absl::Milliseconds(10));
  EXPECT_EQ(UnreachableCheckIn(20'000, longest), absl::Seconds(200));
  EXPECT_EQ(UnreachableCheckIn(1'000'000, longest), longest);
}

TEST(InstanceChecks, WarnIsTheDefault) { EXPECT_EQ(VerificationOf(Service()), Service::WARN); }

}  // namespace
}  // namespace pinion::model
