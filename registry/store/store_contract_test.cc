// The contract of store.h, run over every implementation.
#include "tests/testing/store_contract.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

namespace pinion::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(StoreContract, NothingPutSinceWatchesOverARange) {
  const Revision before = MustPut("k/a", "1");
  MustPut("l", "outside");
  const auto holds = [&](const std::string& prefix, Revision since) {
    const auto result =
        store_->Commit({.compares = {Compare::NothingPutSince(KeyRange::Prefix(prefix), since)}});
    EXPECT_TRUE(result.ok()) << result.status();
    return result->succeeded;
  };
  EXPECT_TRUE(holds("k/", before));
  EXPECT_FALSE(holds("k/", before - 1));
  EXPECT_TRUE(holds("nothing/", 0));
  const Revision deleted = MustDelete("k/a");
  EXPECT_TRUE(holds("k/", before)) << "what goes is nothing new";
  EXPECT_TRUE(holds("k/", 0));
  const Revision again = MustPut("k/a", "2");
  EXPECT_FALSE(holds("k/", deleted));
  EXPECT_TRUE(holds("k/", again));
  MustPut("k/b", "1");
  EXPECT_FALSE(holds("k/", again));
  EXPECT_TRUE(holds("k/a", again));
  ASSERT_TRUE(store_->Compact(store_->revision()).ok());
  EXPECT_FALSE(holds("k/", again)) << "compaction forgets old states, not that there is a new one";
}

TEST_P(StoreContract, ARangeIsComparedInNoOtherWay) {
  Compare compare = Compare::Absent("k/");
  compare.end = "k0";
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Commit({.compares = {compare}}).status()));
}

TEST_P(StoreContract, RevisionsCountChangesOnly) {
  EXPECT_EQ(store_->revision(), 1);
  EXPECT_EQ(MustPut("k1", "a"), 2);
  EXPECT_EQ(MustPut("k1", "b"), 3);
  EXPECT_EQ(MustDelete("k2"), 3) << "deleting nothing changes nothing";
  EXPECT_EQ(store_->Commit({.then = {Get{"k1"}}})->revision, 3);
  EXPECT_EQ(MustDelete("k1"), 4);
  EXPECT_EQ(store_->revision(), 4);
}

TEST_P(StoreContract, AKeyCarriesItsRevisions) {
  MustPut("k1", "a");
  MustPut("k2", "x");
  MustPut("k1", "b");
  KeyValue kv = store_->Range({.range = KeyRange::Single("k1")})->kvs.at(0);
  EXPECT_EQ(kv.value, "b");
  EXPECT_EQ(kv.create_revision, 2);
  EXPECT_EQ(kv.mod_revision, 4);
  EXPECT_EQ(kv.version, 2);
  MustDelete("k1");
  MustPut("k1", "c");
  kv = store_->Range({.range = KeyRange::Single("k1")})->kvs.at(0);
  EXPECT_EQ(kv.create_revision, 6) << "it exists anew";
  EXPECT_EQ(kv.version, 1);
}

TEST_P(StoreContract, KeysAreReadTogetherAtOneRevision) {
  MustPut("k1", "a");
  const Revision before = MustPut("k2", "b");
  const Revision last = MustPut("k1", "c");
  const std::vector<std::string> keys = {"k1", "nothing", "k2"};
  const auto values = [&](Revision revision) {
    const absl::StatusOr<store::Pairs> pairs = store_->ReadKeys(keys, revision);
    EXPECT_TRUE(pairs.ok()) << pairs.status();
    EXPECT_GE(pairs->revision, revision == 0 ? last : revision);
    std::vector<std::string> found;
    for (const auto& kv : pairs->kvs) found.push_back(kv.has_value() ? kv->value : "-");
    return found;
  };
  EXPECT_THAT(values(0), ElementsAre("c", "-", "b"));
  EXPECT_THAT(values(last), ElementsAre("c", "-", "b"));
  EXPECT_THAT(values(before), ElementsAre("a", "-", "b"));
  EXPECT_TRUE(absl::IsOutOfRange(store_->ReadKeys(keys, last + 1000).status()));
  ASSERT_TRUE(store_->Compact(last).ok());
  EXPECT_TRUE(absl::IsOutOfRange(store_->ReadKeys(keys, before).status()));
}

TEST_P(StoreContract, RangesAreOrderedLimitedAndCounted) {
  for (const char* key : {"k/b", "k/a", "k/c", "j", "k", "k0"}) MustPut(key, "v");
  const KeyRange range = KeyRange::Prefix("k/");
  EXPECT_THAT(Pairs({.range = range}), ElementsAre("k/a=v", "k/b=v", "k/c=v"));
  EXPECT_THAT(Pairs({.range = range, .descending = true}), ElementsAre("k/c=v", "k/b=v", "k/a=v"));
  EXPECT_THAT(Pairs({.range = range, .limit = 1, .descending = true}), ElementsAre("k/c=v"));
  EXPECT_THAT(Pairs({.range = range, .keys_only = true}), ElementsAre("k/a=", "k/b=", "k/c="));
  EXPECT_THAT(Pairs({.range = KeyRange::Single("k")}), ElementsAre("k=v"));
  EXPECT_TRUE(store_->Range({.range = range, .limit = 2})->more);
  EXPECT_FALSE(store_->Range({.range = range, .limit = 3})->more);
  const absl::StatusOr<RangeResult> count = store_->Range({.range = range, .count_only = true});
  EXPECT_EQ(count->count, 3);
  EXPECT_THAT(count->kvs, IsEmpty());
}

TEST_P(StoreContract, BytesOfAnyValueSurvive) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  MustPut("k" + bytes, bytes);
  MustPut("k", "");
  EXPECT_THAT(All(), ElementsAre("k=", "k" + bytes + "=" + bytes));
  EXPECT_THAT(Pairs({.range = KeyRange::Prefix("k" + bytes)}),
              ElementsAre("k" + bytes + "=" + bytes));
}

TEST_P(StoreContract, OldStatesCanBeRead) {
  MustPut("k1", "a");  // 2
  MustPut("k2", "x");  // 3
  MustPut("k1", "b");  // 4
  MustDelete("k2");    // 5
  const KeyRange range = KeyRange::Prefix("k");
  EXPECT_THAT(Pairs({.range = range, .revision = 1}), IsEmpty());
  EXPECT_THAT(Pairs({.range = range, .revision = 3}), ElementsAre("k1=a", "k2=x"));
  EXPECT_THAT(Pairs({.range = range, .revision = 4}), ElementsAre("k1=b", "k2=x"));
  EXPECT_THAT(Pairs({.range = range, .revision = 5}), ElementsAre("k1=b"));
  EXPECT_EQ(store_->Range({.range = range, .revision = 4, .count_only = true})->count, 2);
  const KeyRange single = KeyRange::Single("k2");
  EXPECT_THAT(Pairs({.range = single, .revision = 2}), IsEmpty());
  EXPECT_THAT(Pairs({.range = single, .revision = 4}), ElementsAre("k2=x"));
  EXPECT_THAT(Pairs({.range = single, .revision = 4, .keys_only = true}), ElementsAre("k2="));
  EXPECT_EQ(store_->Range({.range = single, .revision = 4, .count_only = true})->count, 1);
  EXPECT_EQ(store_->Range({.range = single, .revision = 5, .count_only = true})->count, 0);
  EXPECT_TRUE(absl::IsOutOfRange(store_->Range({.range = range, .revision = 6}).status()));
}

TEST_P(StoreContract, ATransactionIsOneRevision) {
  MustPut("k1", "a");
  Txn txn{.then = {Put{"k2", "x"}, Delete{"k1"}, Get{"k2"}, Get{"k9"}, Put{"k3", "y"}}};
  absl::StatusOr<TxnResult> result = store_->Commit(txn);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->succeeded);
  EXPECT_EQ(result->revision, 3);
  ASSERT_EQ(result->results.size(), 5u);
  EXPECT_FALSE(result->results[0].has_value());
  EXPECT_EQ(result->results[1]->value, "a");
  EXPECT_EQ(result->results[2]->value, "x") << "a get sees what came before it";
  EXPECT_FALSE(result->results[3].has_value());
  EXPECT_THAT(All(), ElementsAre("k2=x", "k3=y"));
  const absl::StatusOr<RangeResult> all = store_->Range({.range = KeyRange::Prefix("k")});
  for (const KeyValue& kv : all->kvs) EXPECT_EQ(kv.mod_revision, 3);
}

TEST_P(StoreContract, ComparesChooseTheBranch) {
  MustPut("k1", "a");
  MustPut("k1", "b");  // create 2, mod 3, version 2
  using N = Compare::Number;
  using I = Compare::Is;
  const struct {
    Compare compare;
    bool holds;
  } kCases[] = {
      {{"k1", N::kModRevision, I::kEqual, 3}, true},
      {{"k1", N::kModRevision, I::kEqual, 2}, false},
      {{"k1", N::kModRevision, I::kNotEqual, 2}, true},
      {{"k1", N::kModRevision, I::kLess, 4}, true},
      {{"k1", N::kModRevision, I::kLess, 3}, false},
      {{"k1", N::kModRevision, I::kGreater, 2}, true},
      {{"k1", N::kCreateRevision, I::kEqual, 2}, true},
      {{"k1", N::kVersion, I::kEqual, 2}, true},
      {{"k1", N::kVersion, I::kGreater, 2}, false},
      {Compare::Absent("k2"), true},
      {Compare::Absent("k1"), false},
      {{"k2", N::kVersion, I::kEqual, 0}, true},
  };
  for (const auto& c : kCases) {
    absl::StatusOr<TxnResult> result =
        store_->Commit({.compares = {c.compare}, .then = {Get{"k1"}}, .otherwise = {Get{"k2"}}});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->succeeded, c.holds);
    EXPECT_EQ(result->results.at(0).has_value(), c.holds);
  }
  // All must hold; the other list is then carried out.
  ASSERT_FALSE(store_
                   ->Commit({.compares = {Compare::Absent("k2"), Compare::Absent("k1")},
                             .then = {Put{"k3", "then"}},
                             .otherwise = {Put{"k3", "otherwise"}}})
                   ->succeeded);
  EXPECT_THAT(Pairs({.range = KeyRange::Single("k3")}), ElementsAre("k3=otherwise"));
  MustDelete("k1");
  EXPECT_TRUE(store_->Commit({.compares = {Compare::Absent("k1")}})->succeeded);
}

TEST_P(StoreContract, LimitsAreEtcds) {
  Txn ops;
  for (size_t i = 0; i < kMaxTxnOps; ++i) ops.then.push_back(Put{absl::StrCat("k", i), ""});
  EXPECT_TRUE(store_->Commit(ops).ok());
  ops.then.push_back(Put{"one too many", ""});
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Commit(ops).status()));
  Txn compares;
  compares.compares.assign(kMaxTxnOps + 1, Compare::Absent("k"));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Commit(compares).status()));
  EXPECT_TRUE(store_->Commit({.then = {Put{"k", std::string(kMaxTxnBytes - 1, 'v')}}}).ok());
  const Revision before = store_->revision();
  EXPECT_TRUE(absl::IsInvalidArgument(
      store_->Commit({.then = {Put{"k", std::string(kMaxTxnBytes, 'v')}}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Commit({.then = {Put{"", "v"}}}).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(store_->Commit({.then = {Put{"k1", "a"}, Delete{"k1"}}}).status()));
  EXPECT_EQ(store_->revision(), before) << "what is refused changes nothing";
}

TEST_P(StoreContract, WatchGivesEveryChangeInOrder) {
  MustPut("k1", "a");    // 2
  MustPut("other", "");  // 3
  ASSERT_TRUE(
      store_->Commit({.then = {Put{"k3", "z"}, Put{"k1", "b"}, Put{"other", "x"}}}).ok());  // 4
  MustDelete("k1");                                                                         // 5
  std::unique_ptr<Watcher> watcher = store_->Watch(KeyRange::Prefix("k"), 0);
  EXPECT_THAT(MustNext(*watcher), ElementsAre("+k1=a@2", "+k1=b@4(a)", "+k3=z@4", "-k1@5(b)"));
  absl::StatusOr<WatchBatch> nothing = watcher->Next(absl::ZeroDuration());
  ASSERT_TRUE(nothing.ok());
  EXPECT_THAT(nothing->events, IsEmpty());
  EXPECT_EQ(nothing->through, 5);
  MustPut("k1", "c");  // 6: exists anew, so there is no previous value
  EXPECT_THAT(MustNext(*watcher), ElementsAre("+k1=c@6"));
  EXPECT_THAT(MustNext(*store_->Watch(KeyRange::Prefix("k"), 4)),
              ElementsAre("-k1@5(b)", "+k1=c@6"));
  EXPECT_THAT(MustNext(*store_->Watch(KeyRange::Single("k3"), 3)), ElementsAre("+k3=z@4"));
}

TEST_P(StoreContract, AWaitingWatchWakes) {
  std::unique_ptr<Watcher> watcher = store_->Watch(KeyRange::Prefix("k"), store_->revision());
  std::thread writer([store = store_.get()] {
    ASSERT_TRUE(store->Commit({.then = {Put{"k1", "a"}}}).ok());
  });
  EXPECT_THAT(MustNext(*watcher), ElementsAre("+k1=a@2"));
  writer.join();
  std::thread canceller([&watcher] { watcher->Cancel(); });
  EXPECT_TRUE(absl::IsCancelled(watcher->Next(absl::InfiniteDuration()).status()));
  canceller.join();
  EXPECT_TRUE(absl::IsCancelled(watcher->Next(absl::ZeroDuration()).status()));
}

TEST_P(StoreContract, AWatchFarBehindMissesNothing) {
  constexpr int kChanges = 1000;
  for (int i = 0; i < kChanges; ++i) MustPut("k", absl::StrCat(i));
  std::unique_ptr<Watcher> watcher = store_->Watch(KeyRange::Prefix("k"), 0);
  int seen = 0;
  Revision through = 0;
  while (through < store_->revision()) {
    absl::StatusOr<WatchBatch> batch = watcher->Next(absl::Seconds(10));
    ASSERT_TRUE(batch.ok());
    for (const Event& event : batch->events) EXPECT_EQ(event.kv.value, absl::StrCat(seen++));
    through = batch->through;
  }
  EXPECT_EQ(seen, kChanges);
}

TEST_P(StoreContract, CompactionForgetsTheOld) {
  MustPut("k1", "a");  // 2
  MustPut("k1", "b");  // 3
  MustPut("k2", "x");  // 4
  MustDelete("k2");    // 5
  MustPut("k1", "c");  // 6
  EXPECT_EQ(store_->compact_revision(), 1);
  EXPECT_TRUE(absl::IsOutOfRange(store_->Compact(7)));
  ASSERT_TRUE(store_->Compact(5).ok());
  EXPECT_TRUE(store_->Compact(3).ok()) << "compacted already";
  EXPECT_EQ(store_->compact_revision(), 5);
  const KeyRange range = KeyRange::Prefix("k");
  EXPECT_TRUE(absl::IsOutOfRange(store_->Range({.range = range, .revision = 4}).status()));
  EXPECT_THAT(Pairs({.range = range, .revision = 5}), ElementsAre("k1=b"));
  EXPECT_THAT(All(), ElementsAre("k1=c"));
  EXPECT_TRUE(absl::IsOutOfRange(store_->Watch(range, 4)->Next(absl::ZeroDuration()).status()));
  EXPECT_THAT(MustNext(*store_->Watch(range, 5)), ElementsAre("+k1=c@6(b)"));
  EXPECT_THAT(MustNext(*store_->Watch(range, 0)), ElementsAre("+k1=c@6(b)"));
  MustPut("k2", "y");
  const KeyValue kv = store_->Range({.range = KeyRange::Single("k2")})->kvs.at(0);
  EXPECT_EQ(kv.version, 1);
  EXPECT_EQ(kv.create_revision, 7);
}

TEST_P(StoreContract, AWatchOvertakenByCompactionSaysSo) {
  std::unique_ptr<Watcher> watcher = store_->Watch(KeyRange::Prefix("k"), store_->revision());
  MustPut("k1", "a");
  MustPut("k1", "b");
  ASSERT_TRUE(store_->Compact(store_->revision()).ok());
  EXPECT_TRUE(absl::IsOutOfRange(watcher->Next(absl::ZeroDuration()).status()));
}

TEST_P(StoreContract, LeasesRunOutOnTheMonotonicClock) {
  if (GetParam().real_time) GTEST_SKIP() << "its time cannot be moved";
  absl::StatusOr<LeaseId> lease = store_->GrantLease(absl::Seconds(10));
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(store_->revision(), 1);
  MustPut("k1", "a", *lease);
  MustPut("k2", "b", *lease);
  MustPut("k2", "b");  // detached
  EXPECT_EQ(store_->Range({.range = KeyRange::Single("k1")})->kvs.at(0).lease, *lease);
  clock_.JumpWall(absl::Hours(1));
  EXPECT_THAT(*store_->ExpiredLeases(), IsEmpty());
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(*store_->RenewLease(*lease), absl::Seconds(10));
  clock_.Advance(absl::Seconds(9));
  EXPECT_THAT(*store_->ExpiredLeases(), IsEmpty());
  const Revision before = store_->revision();
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(absl::IsNotFound(store_->RenewLease(*lease).status())) << "what has run out stays so";
  EXPECT_TRUE(absl::IsNotFound(store_->Commit({.then = {Put{"k3", "", *lease}}}).status()));
  absl::StatusOr<std::vector<ExpiredLease>> expired = store_->ExpiredLeases();
  ASSERT_EQ(expired->size(), 1u);
  EXPECT_EQ(expired->at(0).id, *lease);
  EXPECT_THAT(expired->at(0).keys, ElementsAre("k1"));
  EXPECT_EQ(store_->revision(), before);
  EXPECT_THAT(All(), ElementsAre("k1=a", "k2=b")) << "the keys stay until somebody deletes them";
  EXPECT_TRUE(store_->RevokeLease(*lease).ok());
  EXPECT_EQ(store_->revision(), before + 1);
  EXPECT_THAT(All(), ElementsAre("k2=b"));
  EXPECT_THAT(*store_->ExpiredLeases(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(store_->RevokeLease(*lease)));
}

TEST_P(StoreContract, LeasesAreChecked) {
  EXPECT_TRUE(absl::IsInvalidArgument(store_->GrantLease(absl::Milliseconds(999)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->GrantLease(absl::Hours(25)).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->RenewLease(4711).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Commit({.then = {Put{"k", "", 4711}}}).status()));
  const LeaseId a = *store_->GrantLease(absl::Seconds(1));
  ASSERT_TRUE(store_->RevokeLease(a).ok());
  EXPECT_NE(*store_->GrantLease(absl::Seconds(1)), a) << "ids are never used again";
}

TEST_P(StoreContract, ConcurrentCompareAndSetLosesNothing) {
  constexpr int kThreads = 8;
  constexpr int kIncrements = 50;
  MustPut("k", "0");
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([store = store_.get()] {
      for (int done = 0; done < kIncrements;) {
        const KeyValue kv = store->Range({.range = KeyRange::Single("k")})->kvs.at(0);
        absl::StatusOr<TxnResult> result =
            store->Commit({.compares = {Compare::Unchanged("k", kv.mod_revision)},
                           .then = {Put{"k", absl::StrCat(std::stoi(kv.value) + 1)}}});
        ASSERT_TRUE(result.ok());
        done += result->succeeded ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(All(), ElementsAre(absl::StrCat("k=", kThreads * kIncrements)));
}

TEST_P(StoreContract, DurableStoresComeBackAsTheyWere) {
  if (!GetParam().durable) GTEST_SKIP() << "it keeps nothing";
  if (GetParam().real_time) GTEST_SKIP() << "its time cannot be moved";
  const LeaseId lease = *store_->GrantLease(absl::Seconds(10));
  MustPut("k1", "a");
  MustPut("k1", "b");
  MustPut("k2", "x", lease);
  MustDelete("k1");
  ASSERT_TRUE(store_->Compact(3).ok());
  clock_.Advance(absl::Seconds(9));
  Open();
  EXPECT_EQ(store_->revision(), 5);
  EXPECT_EQ(store_->compact_revision(), 3);
  EXPECT_THAT(All(), ElementsAre("k2=x"));
  EXPECT_THAT(MustNext(*store_->Watch(KeyRange::Prefix("k"), 3)),
              ElementsAre("+k2=x@4", "-k1@5(b)"));
  clock_.Advance(absl::Seconds(9));
  EXPECT_THAT(*store_->ExpiredLeases(), IsEmpty()) << "the whole TTL again from the start";
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(store_->ExpiredLeases()->at(0).keys, ElementsAre("k2"));
  EXPECT_GT(*store_->GrantLease(absl::Seconds(1)), lease);
}

}  // namespace
}  // namespace pinion::store
