// One gateway's choice, and a fleet's in virtual time.
#include "gateway/watch/registry_choice.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/watch_limits.h"
#include "gtest/gtest.h"

namespace pinion::watch {
namespace {

class RegistryChoiceTest : public ::testing::Test {
 protected:
  std::mt19937_64 random_{42};
};

TEST_F(RegistryChoiceTest, StaysWhereTheStreamOnlyPauses) {
  RegistryChoice choice({"a", "b", "c"}, random_);
  const std::string first = choice.address();
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(choice.Next(StreamEnd::kAgain), limits::kWatchReturnSpread);
    EXPECT_EQ(choice.address(), first);
  }
}

TEST_F(RegistryChoiceTest, GoesRoundAndWaitsLongerAfterEachRound) {
  RegistryChoice choice({"a", "b", "c"}, random_);
  std::set<std::string> seen;
  absl::Duration longest;
  for (int round = 0; round < 12; ++round) {
    seen.clear();
    for (int i = 0; i < 3; ++i) {
      seen.insert(choice.address());
      const absl::Duration wait = choice.Next(StreamEnd::kFailed);
      EXPECT_GE(wait, limits::kWatchBackoffMin / 2);
      EXPECT_LE(wait, limits::kWatchBackoffMin * (1 << (round + 1)));
      EXPECT_LE(wait, limits::kWatchBackoffMax);
      longest = std::max(longest, wait);
    }
    EXPECT_EQ(seen.size(), 3u);
  }
  EXPECT_GE(longest, limits::kWatchBackoffMax / 2);
  choice.Good();
  EXPECT_LE(choice.Next(StreamEnd::kFailed), limits::kWatchBackoffMin);
}

TEST_F(RegistryChoiceTest, WhatIsRefusedEverywhereIsSeldomAskedFor) {
  RegistryChoice choice({"a", "b"}, random_);
  EXPECT_LE(choice.Next(StreamEnd::kRefused), limits::kWatchBackoffMin) << "b may be further";
  absl::Duration wait = choice.Next(StreamEnd::kRefused);
  EXPECT_GE(wait, limits::kWatchRefusedMin / 2);
  EXPECT_LE(wait, limits::kWatchRefusedMin);
  for (int i = 0; i < 100; ++i) wait = choice.Next(StreamEnd::kRefused);
  EXPECT_GE(wait, limits::kWatchRefusedMax / 2);
  EXPECT_LE(wait, limits::kWatchRefusedMax);
}

TEST_F(RegistryChoiceTest, AWordChoosesTheAddressThatItWasGivenFor) {
  RegistryChoice choice({"a", "b", "c"}, random_);
  for (const char* address : {"b", "a", "c"}) {
    choice.Choose(address);
    EXPECT_EQ(choice.address(), address);
    choice.Choose("of no registry");
    EXPECT_EQ(choice.address(), address);
  }
}

// A thousand gateways and some replicas in virtual time. Connecting takes no time; one that finds
// its replica good stays until that goes away.
class Fleet {
 public:
  static constexpr int kGateways = 1000;

  Fleet(std::vector<std::string> replicas, std::mt19937_64& random) {
    for (int i = 0; i < kGateways; ++i) {
      gateways_.push_back(std::make_unique<RegistryChoice>(replicas, random));
      due_.emplace(absl::UnixEpoch(), i);
    }
  }

  // All that happens until `until`, with these replicas up.
  void Run(absl::Time until, const std::set<std::string>& up) {
    std::map<int, std::string> stay;
    for (const auto& [gateway, replica] : good_) {
      if (up.contains(replica)) {
        stay[gateway] = replica;
      } else {
        due_.emplace(now_ + gateways_[gateway]->Next(StreamEnd::kBroken), gateway);
      }
    }
    good_ = std::move(stay);
    while (!due_.empty() && due_.top().first <= until) {
      const auto [at, gateway] = due_.top();
      due_.pop();
      Attempt(at, gateway, up);
    }
    now_ = until;
  }

  // In whichever tenth of a second had most, of those that replicas which were up got.
  int busiest() const {
    int most = 0;
    for (const auto& [slice, count] : arrivals_) most = std::max(most, count);
    return most;
  }
  void ForgetArrivals() { arrivals_.clear(); }
  int attempts() const { return attempts_; }
  std::map<std::string, int> Spread() const {
    std::map<std::string, int> spread;
    for (const auto& [gateway, replica] : good_) ++spread[replica];
    return spread;
  }

 private:
  void Attempt(absl::Time at, int gateway, const std::set<std::string>& up) {
    RegistryChoice& choice = *gateways_[gateway];
    ++attempts_;
    if (up.contains(choice.address())) {
      ++arrivals_[absl::ToInt64Milliseconds(at - absl::UnixEpoch()) / 100];
      good_[gateway] = choice.address();
      choice.Good();
    } else {
      due_.emplace(at + choice.Next(StreamEnd::kFailed), gateway);
    }
  }

  using Due = std::pair<absl::Time, int>;

  std::vector<std::unique_ptr<RegistryChoice>> gateways_;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> due_;
  std::map<int, std::string> good_;
  std::map<int64_t, int> arrivals_;
  absl::Time now_ = absl::UnixEpoch();
  int attempts_ = 0;
};

TEST_F(RegistryChoiceTest, AThousandGatewaysDoNotComeBackTogether) {
  struct Case {
    absl::Duration away;
    int busiest;         // arrivals in a tenth of a second: all at once would be a thousand
    absl::Duration all;  // until everybody is back
  } const cases[] = {
      {absl::ZeroDuration(), 150, absl::Seconds(1)},  // only the streams broke
      {absl::Seconds(2), 150, absl::Seconds(3)},      // a restart
      {absl::Minutes(5), 60, limits::kWatchBackoffMax},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(absl::FormatDuration(c.away));
    Fleet fleet({"a"}, random_);
    fleet.Run(absl::UnixEpoch(), {"a"});
    ASSERT_EQ(fleet.Spread()["a"], Fleet::kGateways);
    fleet.ForgetArrivals();
    const absl::Time back = absl::UnixEpoch() + c.away;
    fleet.Run(absl::UnixEpoch(), {});  // all streams break
    fleet.Run(back, {});
    fleet.Run(back + c.all, {"a"});
    EXPECT_EQ(fleet.Spread()["a"], Fleet::kGateways);
    EXPECT_LE(fleet.busiest(), c.busiest);
  }
}

TEST_F(RegistryChoiceTest, AThousandGatewaysSpreadOverReplicasAndStay) {
  Fleet fleet({"a", "b", "c"}, random_);
  const absl::Time begin = absl::UnixEpoch();
  fleet.Run(begin, {"a", "b", "c"});
  for (const auto& [replica, gateways] : fleet.Spread()) EXPECT_NEAR(gateways, 333, 60) << replica;
  fleet.ForgetArrivals();

  // One is lost: its gateways go to the others in like shares, within some seconds.
  fleet.Run(begin + absl::Seconds(5), {"b", "c"});
  EXPECT_EQ(fleet.Spread().size(), 2u);
  for (const auto& [replica, gateways] : fleet.Spread()) EXPECT_NEAR(gateways, 500, 75) << replica;
  EXPECT_LE(fleet.busiest(), 80);

  // It comes back, and nobody moves.
  const int attempts = fleet.attempts();
  fleet.Run(begin + absl::Hours(1), {"a", "b", "c"});
  EXPECT_EQ(fleet.attempts(), attempts);
}

}  // namespace
}  // namespace pinion::watch
