#include "registry/store/measured_store.h"

#include <algorithm>
#include <array>

#include "gtest/gtest.h"
#include "registry/store/memory_store.h"
#include "registry/store/outcome.h"
#include "tests/testing/fake_clock.h"

namespace pinion::store {
namespace {

// Takes its time, and says what it is told to.
class SlowStore : public ForwardingStore {
 public:
  SlowStore(Store& store, testing::FakeClock& clock) : ForwardingStore(store), clock_(clock) {}

  absl::StatusOr<TxnResult> Commit(Txn txn) override {
    clock_.Advance(takes);
    if (!says.ok()) return says;
    return ForwardingStore::Commit(std::move(txn));
  }
  absl::StatusOr<Pairs> ReadKeys(const std::vector<std::string>& keys, Revision revision) override {
    ++reads;
    return ForwardingStore::ReadKeys(keys, revision);
  }

  int reads = 0;
  absl::Duration takes;
  absl::Status says;

 private:
  testing::FakeClock& clock_;
};

class MeasuredStoreTest : public ::testing::Test {
 protected:
  int64_t Count(CommitOutcome outcome) const {
    return measured_.commits().by_outcome[static_cast<size_t>(outcome)];
  }

  testing::FakeClock clock_;
  MemoryStore memory_{clock_};
  SlowStore slow_{memory_, clock_};
  MeasuredStore measured_{slow_, clock_};
};

TEST_F(MeasuredStoreTest, CountsWhatCameOfEachCommit) {
  const Txn create{.compares = {Compare::Absent("a")}, .then = {Put{"a", "1"}}, .otherwise = {}};
  EXPECT_TRUE(measured_.Commit(create)->succeeded);
  EXPECT_FALSE(measured_.Commit(create)->succeeded);
  EXPECT_FALSE(measured_.Commit({.then = {Put{"", "1"}}}).ok());
  struct Row {
    absl::Status says;
    CommitOutcome outcome;
  };
  for (const Row& row : {Row{absl::ResourceExhaustedError("full"), CommitOutcome::kFull},
                         Row{absl::UnavailableError("away"), CommitOutcome::kAway},
                         Row{OutcomeUnknown("lost"), CommitOutcome::kUnknown}}) {
    slow_.says = row.says;
    EXPECT_EQ(measured_.Commit(create).status(), row.says);
    EXPECT_EQ(Count(row.outcome), 1);
  }
  EXPECT_EQ(Count(CommitOutcome::kCommitted), 1);
  EXPECT_EQ(Count(CommitOutcome::kConflict), 1);
  EXPECT_EQ(Count(CommitOutcome::kRefused), 1);
  EXPECT_EQ(measured_.revision(), 2);
}

TEST_F(MeasuredStoreTest, AReadOfManyKeysStaysOne) {
  ASSERT_TRUE(measured_.Commit({.then = {Put{"a", "1"}}}).ok());
  const auto pairs = measured_.ReadKeys({"a", "b"}, 0);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->kvs[0]->value, "1");
  EXPECT_FALSE(pairs->kvs[1].has_value());
  EXPECT_EQ(slow_.reads, 1);
}

TEST_F(MeasuredStoreTest, TimesThem) {
  for (const absl::Duration takes :
       {absl::ZeroDuration(), absl::Milliseconds(1), absl::Milliseconds(1.5), absl::Seconds(11)}) {
    slow_.takes = takes;
    EXPECT_TRUE(measured_.Commit({.then = {Put{"a", "1"}}}).ok());
  }
  const MeasuredStore::Commits commits = measured_.commits();
  EXPECT_EQ(commits.buckets[0], 1);
  EXPECT_EQ(commits.buckets[1], 1) << "a bound belongs to its bucket";
  EXPECT_EQ(commits.buckets[2], 1);
  EXPECT_EQ(commits.buckets.back(), 1);
  EXPECT_DOUBLE_EQ(commits.seconds, 11.0025);
}

}  // namespace
}  // namespace pinion::store
