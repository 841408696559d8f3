#include "registry/service/finding_recorder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "gmock/gmock.h"
#include "tests/testing/interrupted_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using v1::InstanceCheck;

class FindingRecorderTest : public RegistryFixture {
 protected:
  FindingRecorderTest() {
    EXPECT_TRUE(Publish("addressbook", "1.0.0").ok());
    Start(*registry_);
  }

  void Start(Registry& registry) {
    recorder_.reset();
    recorder_ = std::make_unique<FindingRecorder>(
        registry, FindingRecorder::Options{.period = absl::Milliseconds(2)},
        [this](const v1::Instance&) {
          MutexLock lock(&mutex_);
          ++taken_over_;
          changed_.SignalAll();
        });
  }
  v1::Instance OneMore() {
    return Register("addressbook", "1.0.0", 9000 + ++instances_)->instance();
  }
  void Add(const v1::Instance& instance, model::Verdict verdict) {
    const Finding finding{.verdict = verdict, .message = "is as it is"};
    recorder_->Add({instance, finding}, EffectOf(instance, v1::Service::WARN, finding));
  }
  void WaitForTakenOver(int count) {
    MutexLock lock(&mutex_);
    while (taken_over_ < count) changed_.Wait(&mutex_);
  }
  InstanceCheck::Verdict VerdictOf(const v1::Instance& instance) {
    const auto list = Call(ListInstances, "service: 'addressbook'");
    for (const v1::Instance& one : list->instances()) {
      if (one.instance().uid() == instance.instance().uid()) return one.check().verdict();
    }
    return InstanceCheck::VERDICT_UNSPECIFIED;
  }

  int instances_ = 0;
  Mutex mutex_;
  CondVar changed_;
  int taken_over_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<FindingRecorder> recorder_;
};

TEST_F(FindingRecorderTest, WhatFillsATransactionWaitsForNothing) {
  const int count = static_cast<int>(kMaxNewsAtOnce);
  std::vector<v1::Instance> instances;
  for (int i = 0; i < count; ++i) instances.push_back(OneMore());
  const store::Revision before = store_.revision();
  for (const v1::Instance& instance : instances) Add(instance, InstanceCheck::UNREACHABLE);
  WaitForTakenOver(count);
  EXPECT_EQ(store_.revision(), before + 1);
  EXPECT_EQ(VerdictOf(instances.back()), InstanceCheck::UNREACHABLE);
}

TEST_F(FindingRecorderTest, FewerWaitForTheDelay) {
  const v1::Instance one = OneMore();
  const v1::Instance other = OneMore();
  const store::Revision before = store_.revision();
  Add(one, InstanceCheck::UNREACHABLE);
  Add(other, InstanceCheck::READY);
  Add(other, InstanceCheck::UNPROVEN);  // the last word
  clock_.Advance(absl::Milliseconds(999));
  // What is due at once shows that the recorder has looked.
  ASSERT_TRUE(recorder_->Record({OneMore(), {.verdict = InstanceCheck::READY}}).ok());
  EXPECT_EQ(store_.revision(), before + 2) << "the registration and its finding";
  clock_.Advance(absl::Milliseconds(1));
  WaitForTakenOver(3);
  EXPECT_EQ(store_.revision(), before + 3);
  EXPECT_EQ(VerdictOf(one), InstanceCheck::UNREACHABLE);
  EXPECT_EQ(VerdictOf(other), InstanceCheck::UNPROVEN);
}

TEST_F(FindingRecorderTest, WhatConcernsCallsIsDueAtOnceAndTakesAlongWhatWaits) {
  const v1::Instance one = OneMore();
  const v1::Instance other = OneMore();
  const store::Revision before = store_.revision();
  Add(one, InstanceCheck::UNREACHABLE);
  Add(other, InstanceCheck::NOT_SERVING);
  WaitForTakenOver(2);
  EXPECT_EQ(store_.revision(), before + 1);
  EXPECT_EQ(VerdictOf(one), InstanceCheck::UNREACHABLE);
  EXPECT_EQ(VerdictOf(other), InstanceCheck::NOT_SERVING);
}

TEST_F(FindingRecorderTest, WhatIsWithdrawnIsNotWritten) {
  const v1::Instance one = OneMore();
  const v1::Instance other = OneMore();
  Add(one, InstanceCheck::UNREACHABLE);
  recorder_->Withdraw(one.instance().uid());
  Add(other, InstanceCheck::NOT_SERVING);
  WaitForTakenOver(1);
  EXPECT_EQ(VerdictOf(one), InstanceCheck::VERDICT_UNSPECIFIED);
  EXPECT_EQ(VerdictOf(other), InstanceCheck::NOT_SERVING);
}

TEST_F(FindingRecorderTest, AStoreThatIsAwayIsSaidOnce) {
  testing::FailingStore away(store_, /*commits_before=*/1);  // the one of Open()
  const auto registry = *Registry::Open(away, clock_);
  Start(*registry);
  const v1::Instance one = OneMore();
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(recorder_->Record({one, {.verdict = InstanceCheck::NOT_SERVING}}).ok());
  }
  recorder_.reset();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, ::testing::HasSubstr("they are asked again: the registry's store is away"));
}

}  // namespace
}  // namespace pinion::service
