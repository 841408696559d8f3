// What gateways are told: snapshots, changes in order, resumption, the end of those that are too
// slow, and that of all when the store is away.
#include "registry/service/watch_hub.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/model/keys.h"
#include "registry/store/forwarding_store.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using registry::v1::WatchRequest;
using registry::v1::WatchResponse;
using ::testing::ElementsAre;

constexpr size_t kRing = 8;

// A store whose changes cannot be read while it is `away`.
class DeafStore : public store::ForwardingStore {
 public:
  explicit DeafStore(store::Store& store) : ForwardingStore(store) {}

  std::unique_ptr<store::Watcher> Watch(store::KeyRange range, store::Revision after) override {
    return std::make_unique<Deaf>(*this, ForwardingStore::Watch(std::move(range), after));
  }

  // Until the changes were asked for so many times more; all that came before has ended then.
  void AwaitReads(int more) const {
    const int enough = reads_ + more;
    while (reads_ < enough) std::this_thread::yield();
  }

  std::atomic<bool> away{false};

 private:
  class Deaf : public store::Watcher {
   public:
    Deaf(DeafStore& owner, std::unique_ptr<store::Watcher> watcher)
        : owner_(owner), watcher_(std::move(watcher)) {}

    absl::StatusOr<store::WatchBatch> Next(absl::Duration timeout) override {
      ++owner_.reads_;
      if (owner_.away) return absl::UnavailableError("nobody answers");
      return watcher_->Next(timeout);
    }
    void Cancel() override { watcher_->Cancel(); }

   private:
    DeafStore& owner_;
    const std::unique_ptr<store::Watcher> watcher_;
  };

  std::atomic<int> reads_{0};
};

class WatchHubTest : public RegistryFixture {
 protected:
  static WatchOptions Small() {
    return {.ring_revisions = kRing, .heartbeat = absl::Milliseconds(20), .snapshot_page = 2};
  }
  void Start(const WatchOptions& options = Small()) {
    hub_.reset();
    hub_ = std::make_unique<WatchHub>(*registry_, options);
  }
  absl::StatusOr<std::unique_ptr<WatchHub::Subscription>> Subscribe(store::Revision from) {
    WatchRequest request;
    request.set_gateway_id("gw");
    if (from > 0) request.set_registry_id(registry_->id());
    request.set_from_revision(from);
    return hub_->Subscribe(request, "test", [] {});
  }
  // The whole snapshot, as one chunk.
  static registry::v1::SnapshotChunk ReadSnapshot(WatchHub::Subscription& subscription) {
    registry::v1::SnapshotChunk whole;
    for (bool first = true;; first = false) {
      absl::StatusOr<WatchResponse> message = subscription.Next();
      EXPECT_TRUE(message.ok()) << message.status();
      if (!message.ok() || !message->has_snapshot()) return whole;
      EXPECT_EQ(message->snapshot().first(), first);
      EXPECT_TRUE(first || message->snapshot().revision() == whole.revision());
      whole.MergeFrom(message->snapshot());
      if (message->snapshot().last()) return whole;
    }
  }
  // Follows until `revision` has been told; the kinds of what changed, with the revisions.
  static std::vector<std::string> Follow(WatchHub::Subscription& subscription,
                                         store::Revision revision) {
    std::vector<std::string> seen;
    store::Revision at = 0;
    while (at < revision) {
      absl::StatusOr<WatchResponse> message = subscription.Next();
      EXPECT_TRUE(message.ok()) << message.status();
      if (!message.ok()) return seen;
      if (message->has_progress()) at = message->progress().revision();
      for (const auto& changes : message->changes().revisions()) {
        EXPECT_GT(changes.revision(), at);
        at = changes.revision();
        for (const auto& change : changes.changes()) {
          const auto& resource = change.has_put() ? change.put() : change.deleted();
          seen.push_back(absl::StrCat(at, change.has_put() ? " put " : " deleted ",
                                      static_cast<int>(resource.resource_case())));
        }
      }
    }
    return seen;
  }

  // A version of addressbook as the store has it, with so many names of methods of 100 bytes.
  void PutVersion(const std::string& name, int methods) {
    v1::VersionRecord record;
    routing::v1::Version& version = *record.mutable_version()->mutable_version();
    version.set_service("addressbook");
    version.set_name(name);
    routing::v1::GrpcMethods& names = *version.add_methods();
    for (int i = 0; i < methods; ++i) names.add_methods(std::string(100, 'm'));
    const std::string key = model::VersionKey("addressbook", name);
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, record.SerializeAsString()}}}).ok());
  }

  // Until a hub whose ring is full has followed to the newest revision.
  void Settle() {
    const auto ring = static_cast<store::Revision>(kRing);
    while (hub_->floor() < store_.revision() - ring) std::this_thread::yield();
  }

  std::unique_ptr<WatchHub> hub_;
};

using R = routing::v1::Resource;

TEST_F(WatchHubTest, SnapshotThenChanges) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  Start();
  auto subscription = Subscribe(0);
  ASSERT_TRUE(subscription.ok());
  const registry::v1::SnapshotChunk snapshot = ReadSnapshot(**subscription);
  EXPECT_EQ(snapshot.reason(), registry::v1::SnapshotChunk::INITIAL);
  // Although the hub may not have followed so far yet.
  EXPECT_EQ(snapshot.revision(), store_.revision());
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  const store::Revision pin = store_.revision();
  ASSERT_TRUE(Call(UnsetPin, R"(consumer: "billing" service: "addressbook")").ok());
  EXPECT_THAT(
      Follow(**subscription, store_.revision()),
      ElementsAre(absl::StrCat(pin, " put ", R::kPin), absl::StrCat(pin, " put ", R::kResolution),
                  absl::StrCat(pin + 1, " deleted ", R::kPin)));
}

TEST_F(WatchHubTest, ASnapshotPlusChangesIsTheState) {
  SetUpAddressBook();
  Start();
  auto subscription = Subscribe(0);
  const registry::v1::SnapshotChunk snapshot = ReadSnapshot(**subscription);
  std::vector<int> kinds;
  for (const auto& resource : snapshot.resources()) kinds.push_back(resource.resource_case());
  EXPECT_THAT(kinds, ElementsAre(R::kService, R::kVersion, R::kChannel, R::kInstance, R::kConsumer,
                                 R::kConsumer));
}

TEST_F(WatchHubTest, RampsAndEntitlementsAreToldAsChangesAndInSnapshots) {
  SetUpAddressBook();
  ASSERT_TRUE(Publish("addressbook", "2.0.0").ok());
  ASSERT_TRUE(Register("addressbook", "2.0.0", 9002).ok());
  Start();
  const store::Revision at = store_.revision();
  ASSERT_TRUE(Call(SetEntitlement,
                   "entitlement { consumer: 'billing' service: 'addressbook' "
                   "expression: '^1' }")
                  .ok());
  ASSERT_TRUE(Call(RampChannel,
                   "service: 'addressbook' name: 'stable' "
                   "ramp { version: '2.0.0' percent: 10 }")
                  .ok());
  EXPECT_THAT(Follow(**Subscribe(at), store_.revision()),
              ElementsAre(absl::StrCat(at + 1, " put ", R::kEntitlement),
                          absl::StrCat(at + 2, " put ", R::kChannel)));
  const registry::v1::SnapshotChunk snapshot = ReadSnapshot(**Subscribe(0));
  int entitlements = 0;
  for (const auto& resource : snapshot.resources()) {
    entitlements += resource.entitlement().expression() == "^1" ? 1 : 0;
    EXPECT_TRUE(!resource.has_channel() || resource.channel().ramp().percent() == 10);
  }
  EXPECT_EQ(entitlements, 1);
  ASSERT_TRUE(Call(UnsetEntitlement, "consumer: 'billing' service: 'addressbook'").ok());
  EXPECT_THAT(Follow(**Subscribe(at + 2), store_.revision()),
              ElementsAre(absl::StrCat(at + 3, " deleted ", R::kEntitlement)));
}

TEST_F(WatchHubTest, ResumesWhereItWas) {
  SetUpAddressBook();
  Start();
  const store::Revision at = store_.revision();
  ASSERT_TRUE(Pin("billing", "addressbook", "@stable").ok());
  ASSERT_TRUE(Pin("shipping", "addressbook", "@stable").ok());
  EXPECT_THAT(
      Follow(**Subscribe(at), store_.revision()),
      ElementsAre(absl::StrCat(at + 1, " put ", R::kPin), absl::StrCat(at + 2, " put ", R::kPin)));
  // Across a restart of the hub too, from what the store has.
  Start();
  EXPECT_THAT(Follow(**Subscribe(at + 1), store_.revision()),
              ElementsAre(absl::StrCat(at + 2, " put ", R::kPin)));
}

TEST_F(WatchHubTest, WhatIsGoneComesAsASnapshot) {
  SetUpAddressBook();
  Start();
  const store::Revision at = store_.revision();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(Pin("billing", "addressbook", i % 2 ? "^1" : "@stable").ok());
  Settle();
  auto subscription = Subscribe(at);
  EXPECT_EQ(ReadSnapshot(**subscription).reason(), registry::v1::SnapshotChunk::COMPACTED);
}

TEST_F(WatchHubTest, TheSlowAreCutOffNotSkipped) {
  SetUpAddressBook();
  Start();
  auto slow = Subscribe(store_.revision());
  ASSERT_TRUE(slow.ok());
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(Pin("billing", "addressbook", i % 2 ? "^1" : "@stable").ok());
  Settle();
  EXPECT_EQ(hub_->counts().watchers, 1);
  EXPECT_EQ(hub_->counts().lag, static_cast<int64_t>(kRing));
  const absl::Status status = (*slow)->Next().status();
  EXPECT_EQ(Outcome(status), "RESOURCE_EXHAUSTED WATCH_TOO_SLOW") << status;
  EXPECT_EQ(hub_->counts().overtaken, 1);
  slow->reset();
  EXPECT_EQ(hub_->counts().watchers, 0);
  EXPECT_EQ(hub_->counts().lag, 0);
}

// Many more changes than the ring holds lie before the hub; it reads them while the gateway reads
// its snapshot.
TEST_F(WatchHubTest, AHubThatIsBehindCutsNobodyOff) {
  SetUpAddressBook();
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(Pin("billing", "addressbook", i % 2 ? "^1" : "@stable").ok());
  Start({.ring_revisions = 100, .heartbeat = absl::Milliseconds(20), .snapshot_page = 2});
  auto subscription = Subscribe(0);
  ASSERT_TRUE(subscription.ok());
  EXPECT_EQ(ReadSnapshot(**subscription).revision(), store_.revision());
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  EXPECT_THAT(Follow(**subscription, store_.revision()).size(), 2);
}

// Nothing is told without what a damaged record says, and all is again when it is repaired.
TEST_F(WatchHubTest, DamagedRecordsAreNamedNotLeftOut) {
  SetUpAddressBook();
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  const std::string key = model::PinKey("billing", "addressbook", "");
  const std::string good = store_.Range({.range = store::KeyRange::Single(key)})->kvs[0].value;
  Start();
  auto follower = Subscribe(store_.revision());
  for (const std::string damaged : {"\xff\xff", ""}) {
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, damaged}}}).ok());
    while (hub_->floor() < store_.revision()) std::this_thread::yield();
    absl::Status status = (*follower)->Next().status();
    EXPECT_EQ(Outcome(status), "DATA_LOSS RECORD_DAMAGED") << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(key));
    auto newcomer = Subscribe(0);
    absl::StatusOr<WatchResponse> message = (*newcomer)->Next();
    while (message.ok() && !message->snapshot().last()) message = (*newcomer)->Next();
    EXPECT_EQ(Outcome(message.status()), "DATA_LOSS RECORD_DAMAGED");
    // The change back cannot be told either: nobody knows what it replaces.
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, good}}}).ok());
    while (hub_->floor() < store_.revision()) std::this_thread::yield();
    follower = Subscribe(store_.revision() - 2);
    EXPECT_EQ(ReadSnapshot(**follower).revision(), store_.revision());
  }
  ASSERT_TRUE(Pin("billing", "addressbook", "1.0.0").ok());
  EXPECT_THAT(Follow(**follower, store_.revision()).size(), 2);
}

TEST_F(WatchHubTest, TooManyGatewaysAreRefused) {
  Start({.heartbeat = absl::Milliseconds(20), .subscriptions_max = 1});
  auto first = Subscribe(0);
  EXPECT_EQ(Outcome(Subscribe(0).status()), "RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
  first->reset();
  EXPECT_EQ(Outcome(Subscribe(0).status()), "OK");
}

TEST_F(WatchHubTest, ABlockedWriterIsWoken) {
  SetUpAddressBook();
  Start();
  std::atomic<int> cuts = 0;
  WatchRequest request;
  request.set_registry_id(registry_->id());
  request.set_from_revision(store_.revision());
  auto blocked = hub_->Subscribe(request, "test", [&cuts] { ++cuts; });
  const auto change = [this](int n) {
    for (int i = 0; i < n; ++i)
      ASSERT_TRUE(Pin("billing", "addressbook", i % 2 ? "^1" : "@stable").ok());
    Settle();
  };
  change(20);
  EXPECT_EQ(cuts, 0) << "it may yet come back for the reason";
  clock_.Advance(absl::Minutes(1));
  change(3);
  EXPECT_GT(cuts, 0);
}

TEST_F(WatchHubTest, RefusesOtherRegistriesAndTheFuture) {
  Start();
  WatchRequest request;
  request.set_registry_id("another");
  EXPECT_EQ(Outcome(hub_->Subscribe(request, "", [] {}).status()),
            "FAILED_PRECONDITION REGISTRY_ID_MISMATCH");
  EXPECT_EQ(Outcome(Subscribe(store_.revision() + 1).status()),
            "FAILED_PRECONDITION REVISION_AHEAD");
}

TEST_F(WatchHubTest, AHeartbeatSaysHowFarItIs) {
  SetUpAddressBook();
  Start();
  auto subscription = Subscribe(store_.revision());
  // A change that does not concern routing shows in the next heartbeat.
  ASSERT_TRUE(Call(UpdateService, R"(name: "addressbook" description: "d")").ok());
  EXPECT_THAT(Follow(**subscription, store_.revision()), ElementsAre());
  const auto gateways = hub_->Gateways();
  ASSERT_EQ(gateways.size(), 1u);
  EXPECT_EQ(gateways[0].gateway_id(), "gw");
  EXPECT_EQ(gateways[0].sent_revision(), store_.revision());
  subscription->reset();
  EXPECT_TRUE(hub_->Gateways().empty());
}

// Gateways take the progress that they are told for the newest, so another replica must be asked.
TEST_F(WatchHubTest, WhatCannotBeReadIsNotToldAsTheNewest) {
  SetUpAddressBook();
  DeafStore deaf(store_);
  const std::unique_ptr<Registry> registry = *Registry::Open(deaf, clock_);
  WatchHub hub(*registry, Small());
  WatchRequest request;
  request.set_registry_id(registry->id());
  request.set_from_revision(store_.revision());
  auto subscription = *hub.Subscribe(request, "test", [] {});
  clock_.Advance(absl::Hours(3));
  EXPECT_EQ(Outcome(subscription->Next().status()), "OK") << "it is only quiet";

  deaf.AwaitReads(2);
  deaf.away = true;
  deaf.AwaitReads(1);
  EXPECT_EQ(Outcome(subscription->Next().status()), "OK") << "it may be back in a moment";
  ASSERT_TRUE(Pin("billing", "addressbook", "^1").ok());
  clock_.Advance(absl::Minutes(1));
  absl::Status status;
  for (int i = 0; i < 500 && status.ok(); ++i) status = subscription->Next().status();
  ASSERT_EQ(Outcome(status), "UNAVAILABLE STORE_UNAVAILABLE") << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("nobody answers"));

  // Whoever comes meanwhile waits for nothing; once the store is back, nothing is lost.
  subscription = *hub.Subscribe(request, "test", [] {});
  EXPECT_EQ(Outcome(subscription->Next().status()), "UNAVAILABLE STORE_UNAVAILABLE");
  deaf.away = false;
  absl::StatusOr<WatchResponse> message;
  while (!message.ok()) {
    subscription = *hub.Subscribe(request, "test", [] {});
    message = subscription->Next();
  }
  EXPECT_EQ(message->changes().revisions_size(), 1);
}

// A version's record may be more than a megabyte.
TEST_F(WatchHubTest, LargeRecordsAreFewInAMessage) {
  SetUpAddressBook();
  PutVersion("9.0.0", 4'000);
  PutVersion("9.0.1", 4'000);
  PutVersion("9.0.2", 12'000);
  for (const char* name : {"9.0.3", "9.0.4", "9.0.5", "9.0.6", "9.0.7"}) PutVersion(name, 4'000);
  Start({.heartbeat = absl::Milliseconds(20)});
  auto subscription = Subscribe(0);
  std::vector<std::string> versions;
  WatchResponse message;
  while (!message.snapshot().last()) {
    absl::StatusOr<WatchResponse> next = (*subscription)->Next();
    ASSERT_TRUE(next.ok()) << next.status();
    message = *std::move(next);
    EXPECT_LE(message.ByteSizeLong(), size_t{2} << 20);
    for (const routing::v1::Resource& resource : message.snapshot().resources()) {
      if (resource.has_version()) versions.push_back(resource.version().name());
    }
  }
  EXPECT_THAT(versions, ElementsAre("1.0.0", "9.0.0", "9.0.1", "9.0.2", "9.0.3", "9.0.4", "9.0.5",
                                    "9.0.6", "9.0.7"));
  PutVersion("9.0.8", 4'000);
  EXPECT_THAT(Follow(**subscription, store_.revision()),
              ElementsAre(absl::StrCat(store_.revision(), " put ", R::kVersion)));
}

TEST_F(WatchHubTest, StoppingEndsTheWaiting) {
  Start({.heartbeat = absl::Hours(1)});
  auto subscription = Subscribe(store_.revision());
  std::thread stopper([hub = hub_.get()] { hub->Stop(); });
  EXPECT_TRUE(absl::IsUnavailable((*subscription)->Next().status()));
  stopper.join();
}

TEST_F(WatchHubTest, WhatConcernsNoRoutingDoesNotHoldUpCompaction) {
  SetUpAddressBook();
  Start({.ring_revisions = 100, .heartbeat = absl::Milliseconds(1)});
  EXPECT_LT(hub_->floor(), 100);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(store_.Commit({.then = {store::Put{"records/usage!x", absl::StrCat(i)}}}).ok());
  }
  const store::Revision newest = store_.revision();
  while (hub_->floor() < newest - 100) std::this_thread::yield();
  EXPECT_EQ(hub_->floor(), newest - 100);
}

TEST_F(WatchHubTest, CompactionThatOvertakesTheHubMeansSnapshots) {
  SetUpAddressBook();
  ASSERT_TRUE(store_.Compact(store_.revision()).ok());
  Start();
  EXPECT_EQ(hub_->floor(), store_.revision());
  auto subscription = Subscribe(2);
  EXPECT_EQ(ReadSnapshot(**subscription).reason(), registry::v1::SnapshotChunk::COMPACTED);
}

}  // namespace
}  // namespace pinion::service
