// The watcher with several addresses, and what it refuses until an operator says otherwise.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/watcher_fixture.h"

namespace pinion::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two registries at two addresses; what says that it is one is a replica.
class ReplicasTest : public WatcherTest {
 protected:
  ReplicasTest() { other_address_ = "unix:" + directory_.Path("other.sock"); }
  ~ReplicasTest() override {
    watcher_.reset();
    other_.Stop();
  }

  FakeRegistry& Other(const FakeRegistry& than) { return &than == &registry_ ? other_ : registry_; }
  // Starts both as replicas of registry "r" at revision 5, and follows; the one that is followed.
  FakeRegistry& StartReplicas() {
    for (FakeRegistry* replica : {&registry_, &other_}) {
      replica->Be("r", 5);
      replica->Start(replica == &registry_ ? address_ : other_address_);
    }
    FollowAny({address_, other_address_});
    EXPECT_EQ(NextTable(), "1.0.0");
    // At a start both are asked who they are; then one is followed.
    registry_.TakeRequest();
    other_.TakeRequest();
    const bool first = registry_.TakeRequest(absl::Milliseconds(100)) != "none";
    if (!first) other_.TakeRequest();
    registry_.Be("r", 100);
    other_.Be("r", 100);
    return first ? registry_ : other_;
  }

  std::string other_address_;
  FakeRegistry other_;
};

constexpr char kResumesAt5[] = "gateway_id: \"gw\" registry_id: \"r\" from_revision: 5";

TEST_F(ReplicasTest, GoesOnAtAnotherReplicaWhereTheFirstStopped) {
  FakeRegistry& first = StartReplicas();
  FakeRegistry& second = Other(first);
  first.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  EXPECT_EQ(second.TakeRequest(), kResumesAt5);
  second.Say(PinSet("r", 6, "^2"));
  EXPECT_EQ(NextTable(), "2.0.0");
  // It stays there although the first is back, and comes to it only when this one is lost.
  second.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  EXPECT_EQ(first.TakeRequest(), "gateway_id: \"gw\" registry_id: \"r\" from_revision: 6");
  first.Say(PinSet("r", 7, "1.0.0"));
  EXPECT_EQ(NextTable(), "1.0.0");
  EXPECT_GE(watcher_->status().moves, 2);
  EXPECT_EQ(RefusedIn(watcher_->status()), 0);
}

TEST_F(ReplicasTest, GoesOnWhenAReplicaIsSilent) {
  silence_max_ = absl::Milliseconds(300);
  FakeRegistry& first = StartReplicas();
  FakeRegistry& second = Other(first);
  EXPECT_EQ(second.TakeRequest(), kResumesAt5);
  second.Say(Message(R"pb(registry_id: "r"
                          progress { revision: 5 })pb"));
  StatusWhen([](const WatchStatus& now) { return now.connected; });
}

TEST_F(ReplicasTest, AReplicaThatIsBehindDoesNotTakeTheGatewayBack) {
  FakeRegistry& first = StartReplicas();
  FakeRegistry& behind = Other(first);
  behind.Be("r", 4);
  first.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  // Refused by the one that is behind, it comes back to the one that is not.
  EXPECT_EQ(first.TakeRequest(), kResumesAt5);
  WatchStatus status = watcher_->status();
  EXPECT_EQ(status.refused[static_cast<size_t>(RefusalReason::kLowerRevision)], 1);
  EXPECT_THAT(status.problem, HasSubstr("a replica that has yet to catch up"));
  first.Say(Message(R"pb(registry_id: "r"
                         progress { revision: 5 })pb"));
  status = StatusWhen([](const WatchStatus& now) { return now.connected; });
  EXPECT_FALSE(status.refusal.has_value());
  EXPECT_EQ(status.revision, 5);
  EXPECT_EQ(status.tables_published, 1);
}

TEST_F(ReplicasTest, ReportsAndProposalsGoWhereTheStreamGoes) {
  FakeRegistry& first = StartReplicas();
  FakeRegistry& second = Other(first);
  first.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  second.TakeRequest();
  second.Say(Message(R"pb(registry_id: "r"
                          progress { revision: 5 })pb"));
  StatusWhen([](const WatchStatus& now) { return now.connected; });
  pin_proposals_->Push({{.consumer = "billing", .service = "greeter", .version = "1.0.0"}});
  EXPECT_TRUE(second.proposed.Take().has_value());
}

TEST_F(ReplicasTest, AddressesOfTwoRegistriesAreNotChosenFromByChance) {
  registry_.Be("one", 5);
  other_.Be("two", 5);
  registry_.Start(address_);
  other_.Start(other_address_);
  FollowAny({address_, other_address_});
  const WatchStatus status =
      StatusWhen([](const WatchStatus& now) { return now.refusal.has_value(); });
  EXPECT_THAT(status.refusal->registry_ids, ElementsAre("one", "two"));
  EXPECT_THAT(status.problem, HasSubstr("lead to several registries"));
  EXPECT_THAT(status.problem, HasSubstr("pinion gateway accept ID"));
  EXPECT_FALSE(tables_.Take(absl::ZeroDuration()).has_value());
  // An operator can.
  ASSERT_TRUE(watcher_->Accept("two").ok());
  EXPECT_EQ(NextTable(), "1.0.0");
  const WatchStatus after =
      StatusWhen([](const WatchStatus& now) { return now.connected && !now.warning.empty(); });
  EXPECT_EQ(after.registry_id, "two");
  EXPECT_THAT(after.warning, HasSubstr(address_ + " is one"));
}

TEST_F(ReplicasTest, AForeignAddressIsNamedWhileTheRegistryIsFollowed) {
  registry_.Be("r", 5);
  registry_.Start(address_);
  Follow();
  EXPECT_EQ(NextTable(), "1.0.0");
  other_.Be("s", 5);
  other_.Start(other_address_);
  FollowAny({address_, other_address_});
  EXPECT_EQ(NextTable(), "1.0.0");  // from disk
  const WatchStatus status =
      StatusWhen([](const WatchStatus& now) { return !now.warning.empty(); });
  EXPECT_THAT(status.warning, HasSubstr(other_address_ + " is s"));
  EXPECT_EQ(status.registry_id, "r");
}

// ---- an operator's word to a watcher that runs ----

class AcceptTest : public WatcherTest {
 protected:
  // Follows registry "r" with `count` instances at revision 5.
  void Begin(const std::string& resources = kGreeterResources) {
    registry_.Start(address_);
    Follow();
    registry_.TakeRequest();
    registry_.Say(Snapshot("r", 5, resources));
    EXPECT_EQ(NextTable(), "1.0.0");
  }
  // Waits for a refusal for this reason; what the log says of it.
  std::string Refused(RefusalReason reason) {
    return StatusWhen([reason](const WatchStatus& now) {
             return now.refusal.has_value() && now.refusal->reason == reason;
           })
        .problem;
  }
  static std::string ManyInstances() {
    std::string text = kGreeterResources;
    for (int i = 0; i < 10; ++i) {
      text += R"(resources { instance { service: "greeter" version: "1.0.0" uid: "i)" +
              std::to_string(i) +
              R"(" address { socket_address { address: "127.0.0.1" port_value: 9000 } } } })";
    }
    return text;
  }
};

TEST_F(AcceptTest, NothingIsAcceptedThatWasNotRefused) {
  Begin();
  EXPECT_TRUE(absl::IsFailedPrecondition(watcher_->Accept("r")));
  registry_.Say(Snapshot("r", 6, "resources { service { name: \"Not A Name\" } }"));
  Refused(RefusalReason::kInvalid);
  EXPECT_TRUE(absl::IsFailedPrecondition(watcher_->Accept("r")));
}

TEST_F(AcceptTest, AnotherRegistry) {
  Begin();
  registry_.Be("restored", 3);
  registry_.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  EXPECT_THAT(Refused(RefusalReason::kOtherRegistry),
              HasSubstr("this is registry restored, and this gateway follows r; if that is "
                        "intended: pinion gateway accept restored"));
  EXPECT_TRUE(absl::IsInvalidArgument(watcher_->Accept("r")));
  ASSERT_TRUE(watcher_->Accept("restored").ok());
  EXPECT_EQ(NextTable(), "1.0.0");
  const WatchStatus status = StatusWhen([](const WatchStatus& now) { return now.connected; });
  EXPECT_EQ(status.registry_id, "restored");
  EXPECT_EQ(status.revision, 3);
  EXPECT_FALSE(status.frozen());
  // It is recorded, so that a start goes on from it without a further word.
  watcher_.reset();
  registry_.Stop();
  Follow();
  EXPECT_EQ(NextTable(), "1.0.0");
  StatusWhen([](const WatchStatus& now) { return now.registry_id == "restored"; });
}

TEST_F(AcceptTest, ALowerRevision) {
  Begin();
  registry_.Be("r", 3);
  registry_.End(grpc::StatusCode::UNAVAILABLE, "the registry is shutting down");
  EXPECT_THAT(Refused(RefusalReason::kLowerRevision),
              HasSubstr("at revision 3, and this gateway has seen 5"));
  ASSERT_TRUE(watcher_->Accept("r").ok());
  EXPECT_EQ(NextTable(), "1.0.0");
  StatusWhen([](const WatchStatus& now) { return now.revision == 3 && now.connected; });
}

TEST_F(AcceptTest, TheLossOfMostInstances) {
  Begin(ManyInstances());
  registry_.Say(Snapshot("r", 6));
  EXPECT_THAT(Refused(RefusalReason::kLostInstances), HasSubstr("only 2 would be left at once"));
  EXPECT_EQ(watcher_->status().revision, 5);
  ASSERT_TRUE(watcher_->Accept("r").ok());
  registry_.TakeRequest();
  registry_.Say(Snapshot("r", 6));
  EXPECT_EQ(NextTable(), "1.0.0");
  StatusWhen([](const WatchStatus& now) { return now.revision == 6 && now.connected; });
}

TEST_F(AcceptTest, AfterCompactionASnapshotReplacesAllAndSaysSo) {
  Begin();
  registry_.End(grpc::StatusCode::RESOURCE_EXHAUSTED, "too slow");
  EXPECT_EQ(registry_.TakeRequest(), kResumesAt5);
  WatchResponse resync = Snapshot("r", 900, "");
  resync.mutable_snapshot()->set_reason(registry::v1::SnapshotChunk::COMPACTED);
  registry_.Say(resync);
  EXPECT_EQ(NextTable(), "SERVICE_UNKNOWN");
  EXPECT_EQ(watcher_->status().snapshots_received, 2);
}

}  // namespace
}  // namespace pinion::watch
