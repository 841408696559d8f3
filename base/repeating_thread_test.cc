#include "base/repeating_thread.h"

#include <gtest/gtest.h>

#include <future>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace pinion {
namespace {

// Counts rounds, for whoever waits for one.
class Rounds {
 public:
  void Add() {
    const MutexLock lock(&mutex_);
    ++count_;
    added_.SignalAll();
  }
  void AwaitMoreThan(int count) {
    const MutexLock lock(&mutex_);
    while (count_ <= count) added_.Wait(&mutex_);
  }
  int count() {
    const MutexLock lock(&mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  CondVar added_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(RepeatingThreadTest, ARoundSaysWhenTheNextIsDue) {
  Rounds rounds;
  RepeatingThread thread([&rounds] {
    rounds.Add();
    return absl::Milliseconds(1);
  });
  thread.Start(absl::ZeroDuration());
  rounds.AwaitMoreThan(3);
}

TEST(RepeatingThreadTest, WhoeverAsksGetsARoundThatIsNotDue) {
  Rounds rounds;
  RepeatingThread thread([&rounds] {
    rounds.Add();
    return absl::InfiniteDuration();
  });
  thread.Start(absl::InfiniteDuration());
  for (int i = 0; i < 3; ++i) {
    const int before = rounds.count();
    thread.RunSoon();
    rounds.AwaitMoreThan(before);
  }
}

TEST(RepeatingThreadTest, WhoAsksDuringARoundGetsAnother) {
  Rounds rounds;
  std::promise<void> begun;
  std::promise<void> asked;
  RepeatingThread thread([&] {
    if (rounds.count() == 0) {
      begun.set_value();
      asked.get_future().wait();
    }
    rounds.Add();
    return absl::InfiniteDuration();
  });
  thread.Start(absl::ZeroDuration());
  begun.get_future().wait();
  thread.RunSoon();
  asked.set_value();
  rounds.AwaitMoreThan(1);
}

TEST(RepeatingThreadTest, EndsAfterTheRoundThatRunsAndNotWhenTheNextIsDue) {
  Rounds rounds;
  {
    RepeatingThread thread([&rounds] {
      rounds.Add();
      return absl::InfiniteDuration();
    });
    thread.Start(absl::ZeroDuration());
    rounds.AwaitMoreThan(0);
  }
  EXPECT_GE(rounds.count(), 1);
}

}  // namespace
}  // namespace pinion
