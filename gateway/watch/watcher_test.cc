// The watcher against a registry that says what the test tells it to.
#include "gateway/watch/watcher.h"

#include <functional>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/watcher_fixture.h"

namespace pinion::watch {
namespace {

using ::testing::HasSubstr;

TEST_F(WatcherTest, FollowsAndResumesWhereTheStreamBroke) {
  registry_.Start(address_);
  Follow();
  EXPECT_EQ(registry_.TakeRequest(), "gateway_id: \"gw\"");
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(NextTable(), "1.0.0");
  registry_.Say(PinSet("r", 6, "^2"));
  EXPECT_EQ(NextTable(), "2.0.0");
  const WatchStatus status = StatusWhen([](const WatchStatus& now) { return now.revision == 6; });
  EXPECT_TRUE(status.connected);
  EXPECT_EQ(status.registry_id, "r");
  EXPECT_LT(status.age, kPatience);
  EXPECT_FALSE(status.from_disk);

  registry_.End(grpc::StatusCode::RESOURCE_EXHAUSTED, "too slow");
  EXPECT_EQ(registry_.TakeRequest(), "gateway_id: \"gw\" registry_id: \"r\" from_revision: 6");
  registry_.Say(PinSet("r", 7, "1.0.0"));
  EXPECT_EQ(NextTable(), "1.0.0");
  EXPECT_EQ(watcher_->status().streams_ended, 1);
}

TEST_F(WatcherTest, StartsFromDiskWhenTheRegistryIsAway) {
  registry_.Start(address_);
  Follow();
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(NextTable(), "1.0.0");
  registry_.Say(PinSet("r", 6, "^2"));
  EXPECT_EQ(NextTable(), "2.0.0");
  watcher_.reset();
  registry_.TakeRequest();
  registry_.Stop();

  Follow();
  EXPECT_EQ(NextTable(), "2.0.0");
  const WatchStatus away = StatusWhen([](const WatchStatus& now) { return !now.problem.empty(); });
  EXPECT_TRUE(away.from_disk);
  EXPECT_FALSE(away.connected);
  EXPECT_EQ(away.revision, 6);
  EXPECT_EQ(away.age, absl::InfiniteDuration());
  EXPECT_THAT(away.problem, HasSubstr("is away"));

  registry_.Start(address_);
  EXPECT_EQ(registry_.TakeRequest(), "gateway_id: \"gw\" registry_id: \"r\" from_revision: 6");
  registry_.Say(Message(R"pb(registry_id: "r"
                             progress { revision: 6 })pb"));
  const WatchStatus back = StatusWhen([](const WatchStatus& now) { return now.connected; });
  EXPECT_EQ(back.problem, "");
}

TEST_F(WatcherTest, AnotherRegistryNeedsAnOperatorsWord) {
  registry_.Start(address_);
  Follow();
  registry_.TakeRequest();
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(NextTable(), "1.0.0");
  registry_.Say(Snapshot("other", 1, ""));
  EXPECT_EQ(registry_.TakeRequest(), "gateway_id: \"gw\" registry_id: \"r\"");
  registry_.End(grpc::StatusCode::FAILED_PRECONDITION, "this is registry other");
  WatchStatus status = StatusWhen(
      [](const WatchStatus& now) { return now.problem.find("ended") != std::string::npos; });
  EXPECT_EQ(RefusedIn(status), 1);
  EXPECT_EQ(status.revision, 5);

  Follow("other");
  EXPECT_EQ(NextTable(), "1.0.0");  // from disk
  while (registry_.TakeRequest() != "gateway_id: \"gw\" registry_id: \"other\"") {
  }
  registry_.Say(Snapshot("other", 1, ""));
  EXPECT_EQ(NextTable(), "SERVICE_UNKNOWN");
  StatusWhen([](const WatchStatus& now) { return now.registry_id == "other"; });
}

TEST_F(WatcherTest, AnInvalidSnapshotLeavesTheLastTableInForce) {
  registry_.Start(address_);
  Follow();
  registry_.TakeRequest();
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(NextTable(), "1.0.0");
  registry_.Say(Snapshot("r", 6, "resources { service { name: \"Not A Name\" } }"));
  EXPECT_EQ(registry_.TakeRequest(), "gateway_id: \"gw\" registry_id: \"r\"");
  const WatchStatus status = StatusWhen([](const WatchStatus& now) { return RefusedIn(now) == 1; });
  EXPECT_THAT(status.problem, HasSubstr("the last table stays in force"));
  EXPECT_EQ(status.tables_published, 1);
  registry_.Say(Snapshot("r", 7));
  EXPECT_EQ(NextTable(), "1.0.0");
}

TEST_F(WatcherTest, ABurstBecomesFewTables) {
  registry_.Start(address_);
  Follow();
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(NextTable(), "1.0.0");
  constexpr int kChanges = 500;
  for (int i = 1; i <= kChanges; ++i) {
    registry_.Say(PinSet("r", 5 + i, i == kChanges ? "^2" : "^1"));
  }
  while (NextTable() != "2.0.0") {
  }
  const WatchStatus status = StatusWhen([](const WatchStatus& now) { return now.revision == 505; });
  EXPECT_LT(status.tables_published, kChanges / 4);
}

TEST_F(WatcherTest, FetchesEachSchemaOnceForReflection) {
  registry_.Start(address_);
  Follow();
  registry_.Say(Snapshot("r", 5, R"pb(
    resources { service { name: "greeter" scheme: SEMVER grpc_services: "acme.Greeter" } }
    resources { version { service: "greeter" name: "1.0.0" state: ACTIVE schema_digest: "d1" } }
    resources { version { service: "greeter" name: "1.0.1" state: ACTIVE schema_digest: "d1" } }
    resources { version { service: "greeter" name: "2.0.0" state: ACTIVE schema_digest: "d2" } }
  )pb"));
  std::shared_ptr<const route::RouteTable> table;
  while (table == nullptr || table->FindSchema("d1") == nullptr ||
         table->FindSchema("d2") == nullptr) {
    const auto next = tables_.Take();
    ASSERT_TRUE(next.has_value());
    table = *next;
    // What failed is asked for again when the registry next speaks.
    registry_.Say(Message(R"pb(registry_id: "r"
                               progress { revision: 5 })pb"));
  }
  EXPECT_EQ(*table->FindSchema("d1")->bytes(), "schema of greeter 1.0.0");
  EXPECT_EQ(*table->FindSchema("d2")->bytes(), "schema of greeter 2.0.0");
  EXPECT_EQ(registry_.schemas().calls(), 3);

  // They are on the disk too, for a start without the registry.
  watcher_.reset();
  registry_.Stop();
  Follow();
  std::shared_ptr<const route::RouteTable> recorded = *tables_.Take();
  if (recorded->FindSchema("d1") == nullptr) recorded = *tables_.Take();
  ASSERT_NE(recorded->FindSchema("d1"), nullptr);
  EXPECT_EQ(*recorded->FindSchema("d1")->bytes(), "schema of greeter 1.0.0");
  EXPECT_EQ(*recorded->FindSchema("d2")->bytes(), "schema of greeter 2.0.0");
  EXPECT_TRUE(watcher_->status().from_disk);
}

// The version was deleted and published anew before its schema was asked for.
TEST_F(WatcherTest, ASchemaWithAnotherDigestIsNotTheOneThatIsWanted) {
  registry_.schemas().Have("greeter 1.0.0", "d9");
  registry_.Start(address_);
  Follow();
  registry_.Say(Snapshot("r", 5, R"pb(
    resources { service { name: "greeter" scheme: SEMVER grpc_services: "acme.Greeter" } }
    resources { version { service: "greeter" name: "1.0.0" state: ACTIVE schema_digest: "d1" } }
    resources { version { service: "greeter" name: "2.0.0" state: ACTIVE schema_digest: "d2" } }
  )pb"));
  // Speaks until there is a table with the schema.
  const auto wait_for = [this](const std::string& digest) {
    std::shared_ptr<const route::RouteTable> table;
    for (int i = 0; i < 400 && (table == nullptr || table->FindSchema(digest) == nullptr); ++i) {
      if (const auto next = tables_.Take(absl::Milliseconds(50))) table = *next;
      registry_.Say(Message(R"pb(registry_id: "r"
                                 progress { revision: 5 })pb"));
    }
    return table;
  };
  std::shared_ptr<const route::RouteTable> table = wait_for("d2");
  for (const std::string n : {"3", "4"}) {
    registry_.Say(Message("registry_id: 'r' changes { revisions { revision: 1" + n +
                          " changes { put { version { service: 'greeter' name: '" + n +
                          ".0.0' state: ACTIVE schema_digest: 'd" + n + "' } } } } }"));
    table = wait_for("d" + n);
  }
  ASSERT_NE(table, nullptr);
  EXPECT_NE(table->FindSchema("d4"), nullptr);
  EXPECT_EQ(table->FindSchema("d1"), nullptr);
  // Nor is it asked for again with all that the registry says: once each, and once "not now".
  StatusWhen([this](const WatchStatus&) { return registry_.schemas().calls() == 5; });
}

TEST_F(WatcherTest, AChangeDoesNotWaitForTheSchemasOfAFleet) {
  constexpr int kSchemas = 2000;
  std::string resources = kGreeterResources;
  for (int i = 0; i < kSchemas; ++i) {
    resources += R"(resources { version { service: "greeter" name: "3.0.)" + std::to_string(i) +
                 R"(" state: ACTIVE schema_digest: "d)" + std::to_string(i) + R"(" } })";
  }
  registry_.Start(address_);
  Follow();
  registry_.Say(Snapshot("r", 5, resources));
  EXPECT_EQ(NextTable(), "1.0.0");
  registry_.Say(PinSet("r", 6, "^2"));
  std::shared_ptr<const route::RouteTable> table;
  while (table == nullptr || VersionFor(*table) != "2.0.0") {
    const auto next = tables_.Take();
    ASSERT_TRUE(next.has_value());
    table = *next;
  }
  EXPECT_EQ(table->FindSchema("d" + std::to_string(kSchemas - 1)), nullptr);
}

TEST_F(WatcherTest, ReportsWhatItsWorkersCountOnceItHasATable) {
  collect_usage_ = [](const std::function<void(route::Usage)>& take) {
    take({.rows = {{.service = "greeter", .version = "1.0.0", .calls = 2}},
          .open = {{"greeter", "1.0.0", 1}}});
    take({.rows = {{.service = "greeter", .version = "1.0.0", .calls = 3}},
          .open = {{"greeter", "1.0.0", 4}}});
  };
  registry_.Start(address_);
  Follow();
  EXPECT_FALSE(registry_.reported.Take(absl::Milliseconds(50)).has_value()) << "of nothing yet";
  registry_.Say(Snapshot("r", 5));
  const auto report = registry_.reported.Take();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->gateway_id(), "gw");
  EXPECT_EQ(report->registry_id(), "r");
  EXPECT_EQ(report->start_id().size(), 16u);
  EXPECT_EQ(report->sequence(), 1);
  EXPECT_EQ(report->revision(), 5);
  ASSERT_EQ(report->usage_size(), 1);
  EXPECT_EQ(report->usage(0).calls(), 5);
  ASSERT_EQ(report->open_calls_size(), 1);
  EXPECT_EQ(report->open_calls(0).calls(), 5);
  StatusWhen([](const WatchStatus& now) { return now.reports.taken == 1; });
}

TEST_F(WatcherTest, ProposesPinsToARegistryThatIsHeard) {
  pin_proposals_->Push({{.consumer = "billing", .service = "greeter", .version = "1.0.0"}});
  registry_.Start(address_);
  Follow();
  registry_.TakeRequest();
  EXPECT_FALSE(registry_.proposed.Take(absl::Milliseconds(50)).has_value()) << "not heard yet";
  registry_.Say(Snapshot("r", 5));
  EXPECT_EQ(registry_.proposed.Take(),
            "gateway_id: \"gw\" registry_id: \"r\" proposals { consumer: \"billing\" service: "
            "\"greeter\" version: \"1.0.0\" }");
  StatusWhen([](const WatchStatus& now) { return now.pin_proposals.created == 1; });

  // What cannot be delivered waits, and goes when it can.
  registry_.refuse_proposals = true;
  pin_proposals_->Push({{.consumer = "shipping", .service = "greeter", .version = "1.0.0"}});
  StatusWhen([](const WatchStatus& now) { return now.pin_proposals.waiting == 1; });
  registry_.refuse_proposals = false;
  StatusWhen([](const WatchStatus& now) { return now.pin_proposals.created == 2; });
  EXPECT_EQ(watcher_->status().pin_proposals.waiting, 0);
}

TEST_F(WatcherTest, StopsWhileTheRegistryIsAwayOrSilent) {
  Follow();
  StatusWhen([](const WatchStatus& now) { return !now.problem.empty(); });
  watcher_.reset();
  registry_.Start(address_);
  Follow();
  registry_.TakeRequest();
  watcher_.reset();
  EXPECT_FALSE(tables_.Take(absl::ZeroDuration()).has_value());
}

}  // namespace
}  // namespace pinion::watch
