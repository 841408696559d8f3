#include "gateway/net/timer_queue.h"

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"

namespace pinion::net {
namespace {

absl::Time At(int64_t seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

struct Note {
  std::vector<int>* fired;
  int number;
};

void Fire(void* argument) {
  auto* note = static_cast<Note*>(argument);
  note->fired->push_back(note->number);
}

TEST(TimerQueue, FiresByTimeThenByArming) {
  TimerQueue queue;
  std::vector<int> fired;
  Note notes[] = {{&fired, 0}, {&fired, 1}, {&fired, 2}};
  Timer a(queue, Fire, &notes[0]), b(queue, Fire, &notes[1]), c(queue, Fire, &notes[2]);
  a.Arm(At(2));
  b.Arm(At(1));
  c.Arm(At(2));
  EXPECT_EQ(queue.next(), At(1));
  queue.RunDue(At(1));
  EXPECT_EQ(fired, std::vector<int>({1}));
  queue.RunDue(At(5));
  EXPECT_EQ(fired, std::vector<int>({1, 0, 2}));
  EXPECT_EQ(queue.next(), absl::InfiniteFuture());
}

TEST(TimerQueue, ArmingAgainReplacesAndDestructionCancels) {
  TimerQueue queue;
  std::vector<int> fired;
  Note notes[] = {{&fired, 0}, {&fired, 1}};
  Timer kept(queue, Fire, &notes[0]);
  {
    Timer gone(queue, Fire, &notes[1]);
    gone.Arm(At(1));
  }
  kept.Arm(At(1));
  kept.Arm(At(3));
  queue.RunDue(At(2));
  EXPECT_TRUE(fired.empty());
  queue.RunDue(At(3));
  EXPECT_EQ(fired, std::vector<int>({0}));
  EXPECT_FALSE(kept.armed());
}

struct Rearming {
  TimerQueue queue;
  Timer timer{queue, [](void* self) { static_cast<Rearming*>(self)->OnTimer(); }, this};
  int count = 0;
  void OnTimer() {
    ++count;
    timer.Arm(At(0));
  }
};

TEST(TimerQueue, ATimerThatRearmsItselfForThePastDoesNotHoldTheLoop) {
  Rearming rearming;
  rearming.timer.Arm(At(0));
  rearming.queue.RunDue(At(10));
  EXPECT_EQ(rearming.count, 1);
  rearming.queue.RunDue(At(10));
  EXPECT_EQ(rearming.count, 2);
}

// Against a model: whatever is armed, re-armed and cancelled in random order fires in order of
// time.
TEST(TimerQueue, KeepsOrderUnderRandomUse) {
  Random random(7);
  TimerQueue queue;
  constexpr int kTimers = 200;
  struct Item {
    std::unique_ptr<Timer> timer;
    int64_t at = -1;
    bool fired = false;
  };
  std::vector<Item> items(kTimers);
  for (Item& item : items) {
    item.timer = std::make_unique<Timer>(
        queue, [](void* self) { static_cast<Item*>(self)->fired = true; }, &item);
  }
  for (int step = 0; step < 5000; ++step) {
    Item& item = items[random.Below(kTimers)];
    if (random.Below(4) == 0) {
      item.timer->Cancel();
      item.at = -1;
    } else {
      item.at = static_cast<int64_t>(random.Below(1000));
      item.timer->Arm(At(item.at));
    }
  }
  for (int64_t now = 0; now < 1000; now += 50) {
    queue.RunDue(At(now));
    for (const Item& item : items) EXPECT_EQ(item.fired, item.at >= 0 && item.at <= now);
  }
}

}  // namespace
}  // namespace pinion::net
