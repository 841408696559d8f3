// For tests: a watcher with a fake registry, and the tables that it publishes.
#pragma once

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "gateway/watch/watch_messages.h"
#include "gateway/watch/watcher.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_registry.h"
#include "tests/testing/temp_directory.h"

namespace pinion::watch {

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() { log::SetLevel(log::Level::kOff); }
  ~WatcherTest() override {
    watcher_.reset();
    registry_.Stop();
    log::SetLevel(log::Level::kInfo);
  }

  void Follow(const std::string& accepted_registry_id = "") {
    FollowAny({address_}, accepted_registry_id);
  }
  void FollowAny(std::vector<std::string> registries,
                 const std::string& accepted_registry_id = "") {
    watcher_.reset();
    auto watcher = Watcher::Start(
        {.gateway_id = "gw",
         .registries = std::move(registries),
         .snapshot_dir = directory_.Path("snapshots"),
         .pin_proposals = pin_proposals_,
         .collect_usage = collect_usage_,
         .workers = 2,
         .accepted_registry_id = accepted_registry_id,
         .silence_max = silence_max_},
        [this](std::shared_ptr<const route::RouteTable> table) { tables_.Put(std::move(table)); });
    ASSERT_TRUE(watcher.ok()) << watcher.status();
    watcher_ = *std::move(watcher);
  }

  // What the next table routes billing's call to.
  std::string NextTable() {
    const auto table = tables_.Take();
    return table ? VersionFor(**table) : "no table";
  }
  static int64_t RefusedIn(const WatchStatus& status) {
    return std::accumulate(status.refused.begin(), status.refused.end(), int64_t{0});
  }
  // Asks for the status until it is as `wanted` says.
  template <typename Wanted>
  WatchStatus StatusWhen(Wanted wanted) {
    absl::Mutex never;
    absl::MutexLock lock(&never);
    const absl::Time give_up = SystemClock().Monotonic() + kPatience;
    WatchStatus status = watcher_->status();
    while (!wanted(status) && SystemClock().Monotonic() < give_up) {
      never.AwaitWithTimeout(absl::Condition(
                                 +[](bool* no) { return *no; }, &no_),
                             absl::Milliseconds(5));
      status = watcher_->status();
    }
    EXPECT_TRUE(wanted(status)) << status.problem;
    return status;
  }

  bool no_ = false;
  const testing::TempDirectory directory_;
  std::string address_ = "unix:" + directory_.Path("registry.sock");
  FakeRegistry registry_;
  const std::shared_ptr<PinProposals> pin_proposals_ = std::make_shared<PinProposals>();
  std::function<void(std::function<void(route::Usage)>)> collect_usage_;
  absl::Duration silence_max_ = limits::kWatchSilenceMax;
  Queue<std::shared_ptr<const route::RouteTable>> tables_;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace pinion::watch
