// What is the etcd store's own, on real members and real time: leases that run out, members that
// are killed, stopped and away, and several processes on one store.
#include "registry/store/etcd_store.h"

#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/store/etcd_connection.h"
#include "registry/store/outcome.h"
#include "tests/testing/etcd_members.h"
#include "tests/testing/temp_directory.h"

namespace pinion::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Far longer than what is waited for takes.
constexpr absl::Duration kPatience = absl::Seconds(30);

class EtcdStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::EtcdMembers::Installed()) GTEST_SKIP() << "etcd is not installed";
  }
  void TearDown() override {
    etcd_.reset();
    if (HasFailure()) std::cout << testing::EtcdMembers::LogsIn(directory_.path());
  }

  void StartEtcd(int members) {
    etcd_ = std::make_unique<testing::EtcdMembers>(directory_.path(), members);
  }
  std::unique_ptr<Store> Open(const std::string& prefix = "/pinion/") {
    // Members of a busy machine may take longer to elect than callers would wait.
    absl::StatusOr<std::unique_ptr<Store>> store = OpenEtcdStore(
        {.endpoints = etcd_->endpoints(), .prefix = prefix, .request_timeout = kPatience},
        SystemClock());
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static Revision MustPut(Store& store, const std::string& key, const std::string& value,
                          LeaseId lease = 0) {
    const absl::StatusOr<TxnResult> result = store.Commit({.then = {Put{key, value, lease}}});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->revision : 0;
  }
  static std::vector<std::string> Keys(Store& store) {
    const absl::StatusOr<RangeResult> range = store.Range({.range = KeyRange::Prefix("k")});
    EXPECT_TRUE(range.ok()) << range.status();
    std::vector<std::string> keys;
    for (const KeyValue& kv : range->kvs) keys.push_back(kv.key);
    return keys;
  }
  // Those that have run out, as soon as there are any.
  static std::vector<ExpiredLease> WaitForExpired(Store& store) {
    const absl::Time give_up = SystemClock().Monotonic() + kPatience;
    const std::unique_ptr<Watcher> pause = store.Watch(KeyRange::Single("nothing"), 0);
    while (true) {
      absl::StatusOr<std::vector<ExpiredLease>> expired = store.ExpiredLeases();
      EXPECT_TRUE(expired.ok()) << expired.status();
      const bool done = !expired.ok() || !expired->empty();
      if (done || SystemClock().Monotonic() > give_up) return *std::move(expired);
      (void)pause->Next(absl::Milliseconds(50));
    }
  }
  // As if all processes had been killed some seconds ago: heartbeats have run out, and presences
  // have `presence_seconds` left.
  void LetHeartbeatsRunOut(int64_t presence_seconds) {
    using Stub = etcdserverpb::Lease::Stub;
    const auto connection = EtcdConnection::Open({.endpoints = etcd_->endpoints()}, SystemClock());
    ASSERT_TRUE(connection.ok()) << connection.status();
    EtcdConnection& etcd = **connection;
    const auto call = [&etcd](const auto method, const auto& request, auto& response) {
      const EtcdRpc rpc = EtcdCall(&EtcdMember::lease, method, request, response);
      const absl::Status status = etcd.Repeat(rpc, etcd.Deadline());
      EXPECT_TRUE(status.ok()) << status;
    };
    etcdserverpb::LeaseLeasesResponse all;
    call(&Stub::LeaseLeases, etcdserverpb::LeaseLeasesRequest(), all);
    for (const etcdserverpb::LeaseStatus& lease : all.leases()) {
      const int64_t kind = lease.id() & 3;  // as etcd_leases.h says
      if (kind == 0) continue;
      etcdserverpb::LeaseRevokeRequest end;
      end.set_id(lease.id());
      etcdserverpb::LeaseRevokeResponse ended;
      call(&Stub::LeaseRevoke, end, ended);
      if (kind == 1) continue;
      etcdserverpb::LeaseGrantRequest grant;
      grant.set_id(lease.id());
      grant.set_ttl(presence_seconds);
      etcdserverpb::LeaseGrantResponse granted;
      call(&Stub::LeaseGrant, grant, granted);
    }
  }
  // The values of the next `count` events.
  static std::vector<std::string> Follow(Watcher& watcher, size_t count) {
    std::vector<std::string> values;
    const absl::Time give_up = SystemClock().Monotonic() + kPatience;
    while (values.size() < count && SystemClock().Monotonic() < give_up) {
      const absl::StatusOr<WatchBatch> batch = watcher.Next(absl::Seconds(1));
      if (absl::IsUnavailable(batch.status())) continue;
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok()) break;
      for (const Event& event : batch->events) values.push_back(event.kv.value);
    }
    return values;
  }

  const testing::TempDirectory directory_;
  std::unique_ptr<testing::EtcdMembers> etcd_;
};

TEST_F(EtcdStoreTest, LeasesRunOutAndTheirKeysStay) {
  StartEtcd(1);
  const std::unique_ptr<Store> store = Open();
  const LeaseId lease = *store->GrantLease(absl::Seconds(1));
  const LeaseId other = *store->GrantLease(absl::Hours(1));
  EXPECT_EQ(store->revision(), 1) << "granting makes no revision";
  MustPut(*store, "k2", "", lease);
  MustPut(*store, "k1", "", lease);
  MustPut(*store, "k3", "", other);
  EXPECT_EQ(*store->RenewLease(lease), absl::Seconds(1));
  const Revision before = store->revision();
  const std::vector<ExpiredLease> expired = WaitForExpired(*store);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].id, lease);
  EXPECT_THAT(expired[0].keys, ElementsAre("k1", "k2"));
  EXPECT_EQ(*store->Newest(), before) << "nor does running out";
  EXPECT_TRUE(absl::IsNotFound(store->RenewLease(lease).status()));
  EXPECT_TRUE(absl::IsNotFound(store->Commit({.then = {Put{"k4", "", lease}}}).status()));
  EXPECT_THAT(Keys(*store), ElementsAre("k1", "k2", "k3"));
  ASSERT_TRUE(store->RevokeLease(lease).ok());
  EXPECT_EQ(*store->Newest(), before + 1) << "both keys in one";
  EXPECT_THAT(Keys(*store), ElementsAre("k3"));
  EXPECT_THAT(*store->ExpiredLeases(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(store->RevokeLease(lease)));
}

TEST_F(EtcdStoreTest, LeasesGetTheirTtlAgainWhenAllWereAway) {
  StartEtcd(1);
  std::unique_ptr<Store> first = Open();
  const LeaseId lease = *first->GrantLease(absl::Seconds(1));
  MustPut(*first, "k", "", lease);
  ASSERT_EQ(WaitForExpired(*first).size(), 1u);

  std::unique_ptr<Store> second = Open();
  EXPECT_EQ(second->ExpiredLeases()->size(), 1u) << "the first was there all the time";
  second.reset();

  first.reset();
  first = Open();
  EXPECT_EQ(*first->RenewLease(lease), absl::Seconds(1)) << "nobody could renew it";
  EXPECT_THAT(WaitForExpired(*first)[0].keys, ElementsAre("k"));
}

// A registry that is killed and started again finds its own presence, and nobody else's.
TEST_F(EtcdStoreTest, APresenceThatWasNotRenewedLatelyIsOfNobodyWhoLives) {
  StartEtcd(1);
  const std::unique_ptr<Store> killed = Open();
  const LeaseId lease = *killed->GrantLease(absl::Minutes(1));
  MustPut(*killed, "k", "", lease);
  LetHeartbeatsRunOut(/*presence_seconds=*/100);
  EXPECT_TRUE(absl::IsNotFound(Open()->RenewLease(lease).status())) << "somebody lives";
  LetHeartbeatsRunOut(/*presence_seconds=*/5);
  const std::unique_ptr<Store> next = Open();
  EXPECT_TRUE(next->RenewLease(lease).ok()) << "nobody could renew it";
  EXPECT_THAT(*next->ExpiredLeases(), IsEmpty());
}

TEST_F(EtcdStoreTest, StoresOnOneEtcdDoNotSeeEachOther) {
  StartEtcd(1);
  const std::unique_ptr<Store> store = Open("/a/");
  const std::unique_ptr<Store> other = Open("/b/");
  const LeaseId lease = *other->GrantLease(absl::Seconds(1));
  MustPut(*other, "k-other", "", lease);
  ASSERT_EQ(WaitForExpired(*other).size(), 1u);
  EXPECT_THAT(*store->ExpiredLeases(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(store->RevokeLease(lease)));
  EXPECT_THAT(Keys(*store), IsEmpty());
  const std::unique_ptr<Watcher> watcher = store->Watch(KeyRange::Prefix("k"), 0);
  const Revision revision = MustPut(*store, "k", "own");
  EXPECT_THAT(Follow(*watcher, 1), ElementsAre("own"));
  // A sign of its own moves the watch past what others do.
  const Revision foreign = MustPut(*other, "k-other", "");
  ASSERT_GT(foreign, revision);
  ASSERT_GE(*store->Newest(), foreign);
  const absl::Time give_up = SystemClock().Monotonic() + kPatience;
  Revision through = 0;
  while (through <= foreign && SystemClock().Monotonic() < give_up) {
    through = watcher->Next(absl::Seconds(1))->through;
  }
  EXPECT_GT(through, foreign);
}

TEST_F(EtcdStoreTest, TheLastOfManyAreFoundWithoutReadingAll) {
  StartEtcd(1);
  const std::unique_ptr<Store> store = Open();
  for (int i = 0; i < 1200; i += 100) {
    Txn txn;
    for (int j = i; j < i + 100; ++j) txn.then.push_back(Put{absl::StrCat("k", 10'000 + j), ""});
    ASSERT_TRUE(store->Commit(std::move(txn)).ok());
  }
  const auto last = [&](size_t limit) {
    const absl::StatusOr<RangeResult> range =
        store->Range({.range = KeyRange::Prefix("k"), .limit = limit, .descending = true});
    EXPECT_TRUE(range.ok()) << range.status();
    EXPECT_EQ(range->kvs.size(), limit);
    EXPECT_EQ(range->kvs.front().key, "k11199");
    EXPECT_EQ(range->kvs.back().key, absl::StrCat("k", 11'200 - limit));
    return range->more;
  };
  for (const size_t limit : {1, 2, 100, 274, 275, 276, 1199}) {
    SCOPED_TRACE(limit);
    EXPECT_TRUE(last(limit));
  }
  EXPECT_FALSE(last(1200));
}

TEST_F(EtcdStoreTest, AMemberThatIsKilledOrStoppedIsLeft) {
  StartEtcd(3);
  const std::unique_ptr<Store> store = Open();
  const std::unique_ptr<Watcher> watcher = store->Watch(KeyRange::Prefix("k"), 0);
  std::vector<std::string> put;
  const auto change = [&] {
    put.push_back(absl::StrCat(put.size()));
    MustPut(*store, absl::StrCat("k", put.size()), put.back());
  };
  change();
  for (int member = 0; member < 3; ++member) {
    etcd_->Kill(member);
    change();
    etcd_->Start(member);
    change();
    etcd_->Pause(member);
    change();
    etcd_->Resume(member);
    change();
  }
  EXPECT_EQ(Follow(*watcher, put.size()), put) << "each once, in order";
}

TEST_F(EtcdStoreTest, AWatchFollowsWhileMembersGoAndCome) {
  StartEtcd(3);
  const std::unique_ptr<Store> store = Open();
  std::vector<std::string> seen;
  std::vector<std::string> put;
  std::thread follower(
      [&seen, store = store.get()] { seen = Follow(*store->Watch(KeyRange::Prefix("k"), 0), 60); });
  for (int i = 0; i < 60; ++i) {
    if (i % 20 == 5) etcd_->Kill(i / 20);
    if (i % 20 == 15) etcd_->Start(i / 20);
    put.push_back(absl::StrCat(i));
    MustPut(*store, "k", put.back());
  }
  follower.join();
  EXPECT_EQ(seen, put);
}

TEST_F(EtcdStoreTest, AllMembersMayBeAwayForAWhile) {
  StartEtcd(3);
  const std::unique_ptr<Store> store = Open();
  const std::unique_ptr<Watcher> watcher = store->Watch(KeyRange::Prefix("k"), 0);
  MustPut(*store, "k", "before");
  EXPECT_THAT(Follow(*watcher, 1), ElementsAre("before"));
  for (int i = 0; i < 3; ++i) etcd_->Kill(i);
  std::thread reader([store = store.get()] {
    const absl::StatusOr<RangeResult> range = store->Range({.range = KeyRange::Single("k")});
    EXPECT_TRUE(range.ok()) << "a call waits for an etcd that comes back in time: "
                            << range.status();
  });
  EXPECT_TRUE(absl::IsUnavailable(watcher->Next(absl::Milliseconds(100)).status()));
  for (int i = 0; i < 3; ++i) etcd_->Start(i);
  reader.join();
  MustPut(*store, "k", "after");
  EXPECT_THAT(Follow(*watcher, 1), ElementsAre("after"));
}

TEST_F(EtcdStoreTest, AWatchThatWasFarBehindACompactionSaysSo) {
  StartEtcd(1);
  const std::unique_ptr<Store> store = Open();
  const std::unique_ptr<Watcher> watcher = store->Watch(KeyRange::Prefix("k"), 0);
  MustPut(*store, "k", "0");
  EXPECT_THAT(Follow(*watcher, 1), ElementsAre("0"));
  etcd_->Kill(0);
  EXPECT_TRUE(absl::IsUnavailable(watcher->Next(absl::Milliseconds(100)).status()));
  etcd_->Start(0);
  // By another registry, while this one was cut off.
  const std::unique_ptr<Store> other = Open();
  for (int i = 1; i < 100; ++i) MustPut(*other, "k", absl::StrCat(i));
  ASSERT_TRUE(other->Compact(other->revision()).ok());
  absl::StatusOr<WatchBatch> batch = watcher->Next(absl::Seconds(10));
  EXPECT_TRUE(absl::IsOutOfRange(batch.status())) << batch.status();
  EXPECT_TRUE(store->Compact(other->revision() - 1).ok()) << "compacted already";
  EXPECT_EQ(store->compact_revision(), other->revision()) << "learnt from it";
}

TEST_F(EtcdStoreTest, ReadsAreNotStale) {
  StartEtcd(3);
  const std::unique_ptr<Store> writer = Open();
  const std::unique_ptr<Store> reader = Open();
  for (int i = 0; i < 50; ++i) {
    const Revision revision = MustPut(*writer, "k", absl::StrCat(i));
    ASSERT_GE(*reader->Newest(), revision);
    const absl::StatusOr<RangeResult> range =
        reader->Range({.range = KeyRange::Single("k"), .revision = *reader->Newest()});
    ASSERT_TRUE(range.ok()) << range.status();
    EXPECT_EQ(range->kvs.at(0).value, absl::StrCat(i));
  }
}

TEST_F(EtcdStoreTest, AnEtcdThatIsAwayAtTheStartIsSaid) {
  const absl::Status status = OpenEtcdStore({.endpoints = {"127.0.0.1:1", "127.0.0.1:2"},
                                             .open_timeout = absl::Milliseconds(300)},
                                            SystemClock())
                                  .status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no etcd that can serve at 127.0.0.1:1, 127.0.0.1:2 within 300ms"));
}

TEST_F(EtcdStoreTest, WaitingForAnEtcdEndsWhenItIsAskedTo) {
  int asked = 0;
  const auto stop = [&asked] {
    ++asked;
    return true;
  };
  const EtcdOptions options{
      .endpoints = {"127.0.0.1:1"}, .open_timeout = kPatience, .stop_opening = stop};
  const absl::Status status = OpenEtcdStore(options, SystemClock()).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("stopped while it waited for etcd: etcd 127.0.0.1:1"));
  EXPECT_EQ(asked, 1) << "at once";
}

// Members go down with whatever is under way. Of each commit its caller is told that it was made,
// that it was not, or that nobody knows; the first two must be true.
TEST_F(EtcdStoreTest, WhatCallersAreToldOfCommitsIsTrueWhenAllMembersAreKilled) {
  constexpr int kCallers = 16;
  constexpr int kKills = 3;
  StartEtcd(3);
  const auto opened = OpenEtcdStore(
      {.endpoints = etcd_->endpoints(), .request_timeout = absl::Seconds(1)}, SystemClock());
  ASSERT_TRUE(opened.ok()) << opened.status();
  Store* const store = opened->get();
  struct Told {
    std::string key;
    absl::Status status;
  };
  std::vector<std::vector<Told>> told(kCallers);
  std::atomic<bool> stop = false;
  std::atomic<int> made = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; !stop; ++i) {
        const std::string key = absl::StrCat("k/", caller, "/", i);
        const auto result =
            store->Commit({.compares = {Compare::Absent(key)}, .then = {Put{key, "v"}, Get{"x"}}});
        absl::Status status = result.status();
        if (result.ok() && !result->succeeded) status = absl::AbortedError("a key of nobody else");
        ++(status.ok() ? made : failed);
        told[caller].push_back({key, status});
      }
    });
  }
  const auto more = [](const std::atomic<int>& count, int by) {
    const int enough = count + by;
    while (count < enough) std::this_thread::yield();
  };
  for (int kill = 0; kill < kKills; ++kill) {
    more(made, 100);
    for (int member = 0; member < 3; ++member) etcd_->Kill(member);
    if (kill > 0) more(failed, 1);
    for (int member = 0; member < 3; ++member) etcd_->Start(member);
    while (!store->Newest().ok()) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  for (const std::vector<Told>& commits : told) {
    for (const Told& commit : commits) {
      if (IsOutcomeUnknown(commit.status)) continue;
      const auto there = store->Range({.range = KeyRange::Single(commit.key)});
      ASSERT_TRUE(there.ok()) << there.status();
      EXPECT_EQ(there->kvs.size(), commit.status.ok() ? 1u : 0u) << commit.key << commit.status;
    }
  }
}

}  // namespace
}  // namespace pinion::store
