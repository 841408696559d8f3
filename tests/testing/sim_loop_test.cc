#include "tests/testing/sim_loop.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/sim_world.h"

namespace pinion::testing {
namespace {

TEST(SimWorldTest, TimeJumpsToTheNextEvent) {
  SimWorld world(1);
  const absl::Time start = world.now();
  std::vector<absl::Duration> at;
  for (const int hours : {5, 1, 3}) {
    world.After(absl::Hours(hours), [&] { at.push_back(world.now() - start); });
  }
  EXPECT_EQ(world.RunFor(absl::Hours(4)), SimWorld::End::kTimeLimit);
  EXPECT_EQ(at, (std::vector<absl::Duration>{absl::Hours(1), absl::Hours(3)}));
  EXPECT_EQ(world.now() - start, absl::Hours(4));
  EXPECT_EQ(world.RunFor(absl::Hours(4)), SimWorld::End::kQuiet);
  EXPECT_EQ(at.size(), 3u);
}

TEST(SimWorldTest, WallTimeGoesWithMonotonicTime) {
  SimWorld world(1);
  const absl::Time wall = world.clock().Wall();
  world.After(absl::Seconds(7), [] {});
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(world.clock().Wall() - wall, absl::Seconds(7));
}

// What happens at the same moment happens in an order that the seed decides.
std::string OrderOf(uint64_t seed) {
  SimWorld world(seed);
  std::string order;
  for (const char name : std::string("abcdefgh")) {
    world.After(absl::Seconds(1), [&order, name] { order += name; });
  }
  world.RunFor(absl::Minutes(1));
  return order;
}

TEST(SimWorldTest, TheSeedDecidesTies) {
  EXPECT_EQ(OrderOf(4), OrderOf(4));
  EXPECT_NE(OrderOf(4), OrderOf(5));
}

TEST(SimLoopTest, PostedWorkRunsInOrderAndMayPostMore) {
  SimWorld world(1);
  SimLoop loop(world);
  std::string order;
  loop.Post([&] {
    order += 'a';
    loop.Post([&] { order += 'c'; });
  });
  loop.Post([&] { order += 'b'; });
  EXPECT_EQ(world.RunFor(absl::Minutes(1)), SimWorld::End::kQuiet);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(world.turns(), 2u);
}

TEST(SimLoopTest, TimersFireAtTheirTimeInTheirLoop) {
  SimWorld world(1);
  SimLoop loop(world);
  struct Fired {
    SimLoop& loop;
    absl::Time at;
  } fired{loop, {}};
  net::Timer timer(
      loop.timers(),
      [](void* argument) {
        auto* self = static_cast<Fired*>(argument);
        self->at = self->loop.now();
      },
      &fired);
  const absl::Time due = world.now() + absl::Minutes(10);
  timer.Arm(due);
  EXPECT_EQ(world.Run([&] { return !timer.armed(); }, absl::Hours(1)), SimWorld::End::kDone);
  EXPECT_EQ(fired.at, due);
}

class CountingTask : public net::TurnTask {
 public:
  void RunAtEndOfTurn() override { ++runs; }
  int runs = 0;
};

TEST(SimLoopTest, EndsTurnsAndTellsTheHook) {
  SimWorld world(1);
  SimLoop loop(world);
  CountingTask task;
  int hooks = 0;
  int runs_seen_by_hook = 0;
  world.set_after_turn([&] {
    ++hooks;
    runs_seen_by_hook = task.runs;
  });
  loop.Post([&] {
    loop.AtEndOfTurn(task);
    loop.AtEndOfTurn(task);
  });
  world.RunFor(absl::Minutes(1));
  EXPECT_EQ(hooks, 1);
  EXPECT_EQ(runs_seen_by_hook, 1);
}

TEST(SimLoopTest, SomebodySpinningIsNoticed) {
  SimWorld world(1);
  SimLoop loop(world);
  std::function<void()> again = [&] { loop.Post(again); };
  loop.Post(again);
  world.set_turns_max(1000);
  EXPECT_EQ(world.RunFor(absl::Hours(1)), SimWorld::End::kTurnLimit);
}

TEST(SimWorldTest, FingerprintsTellRunsApart) {
  SimWorld a(1);
  SimWorld b(1);
  a.Note("x", "did", 1);
  b.Note("x", "did", 1);
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  a.Note("x", "did", 2);
  b.Note("x", "did", 3);
  EXPECT_NE(a.fingerprint(), b.fingerprint());
}

}  // namespace
}  // namespace pinion::testing
