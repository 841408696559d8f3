// The fixture of the contract's tests (store_contract_test.cc), which every implementation runs by
// instantiating it in a test program of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "registry/store/store.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {

// How the suite makes a store, and makes it anew over the same data (null: it keeps none).
struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Store>(const std::string& path, const Clock& clock)> open;
  bool durable = false;
  // It counts on the machine's clock, so what waits for time to pass is tested elsewhere.
  bool real_time = false;
  // Starts what has to run beside it, for one test; null: that is not installed here.
  std::function<std::shared_ptr<void>(const std::string& path)> serve = nullptr;
};

class StoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    if (GetParam().serve != nullptr) {
      server_ = GetParam().serve(directory_.Path("store"));
      if (server_ == nullptr) GTEST_SKIP() << GetParam().name << " is not installed";
    }
    Open();
  }
  void TearDown() override {
    store_.reset();
    server_.reset();
  }
  void Open() {
    store_.reset();
    store_ = GetParam().open(directory_.Path("store"), clock_);
    ASSERT_NE(store_, nullptr);
  }

  Revision MustPut(const std::string& key, const std::string& value, LeaseId lease = 0) {
    absl::StatusOr<TxnResult> result = store_->Commit({.then = {Put{key, value, lease}}});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->revision : 0;
  }
  Revision MustDelete(const std::string& key) {
    absl::StatusOr<TxnResult> result = store_->Commit({.then = {Delete{key}}});
    EXPECT_TRUE(result.ok()) << result.status();
    return result->revision;
  }
  // "key=value" of each pair.
  std::vector<std::string> Pairs(const RangeRequest& request) {
    absl::StatusOr<RangeResult> result = store_->Range(request);
    EXPECT_TRUE(result.ok()) << result.status();
    std::vector<std::string> pairs;
    for (const KeyValue& kv : result->kvs) pairs.push_back(kv.key + "=" + kv.value);
    return pairs;
  }
  std::vector<std::string> All() { return Pairs({.range = KeyRange::Prefix("k")}); }
  // "+key=value@revision" or "-key@revision" of each event, with "(previous)".
  static std::vector<std::string> Describe(const WatchBatch& batch) {
    std::vector<std::string> events;
    for (const Event& event : batch.events) {
      std::string text =
          event.deleted ? "-" + event.kv.key : "+" + event.kv.key + "=" + event.kv.value;
      absl::StrAppend(&text, "@", event.kv.mod_revision);
      if (event.previous.has_value()) absl::StrAppend(&text, "(", event.previous->value, ")");
      events.push_back(text);
    }
    return events;
  }
  std::vector<std::string> MustNext(Watcher& watcher) {
    absl::StatusOr<WatchBatch> batch = watcher.Next(absl::Seconds(10));
    EXPECT_TRUE(batch.ok()) << batch.status();
    return batch.ok() ? Describe(*batch) : std::vector<std::string>();
  }

  testing::FakeClock clock_;
  const testing::TempDirectory directory_;
  std::shared_ptr<void> server_;
  std::unique_ptr<Store> store_;
};

}  // namespace pinion::store
