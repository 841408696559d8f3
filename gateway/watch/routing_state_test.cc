#include "gateway/watch/routing_state.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/watch/watch_messages.h"
#include "gateway/watch_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::watch {
namespace {

using ::testing::HasSubstr;
using Table = std::shared_ptr<const route::RouteTable>;

class RoutingStateTest : public ::testing::Test {
 protected:
  Table Take() {
    auto table = state_.TakeTable();
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ok() ? *table : nullptr;
  }
  Table TakeAfter(const registry::v1::WatchResponse& message) {
    const absl::Status status = state_.Receive(message);
    EXPECT_TRUE(status.ok()) << status;
    return status.ok() ? Take() : nullptr;
  }
  std::string RequestText() { return state_.BeginStream().ShortDebugString(); }

  RoutingState state_{"gw"};
};

TEST_F(RoutingStateTest, TurnsSnapshotAndChangesIntoTables) {
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\"");
  EXPECT_EQ(VersionFor(*TakeAfter(Snapshot("r", 5))), "1.0.0");
  EXPECT_EQ(VersionFor(*TakeAfter(PinSet("r", 6, "^2"))), "2.0.0");
  EXPECT_EQ(state_.revision(), 6);
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"r\" from_revision: 6");
  EXPECT_EQ(VersionFor(*TakeAfter(PinSet("r", 9, "^1"))), "1.0.0");
}

// Usage and the like make revisions that concern no routing.
TEST_F(RoutingStateTest, ProgressMovesTheRevisionOfWhatIsTaken) {
  const auto progress = [](const std::string& registry_id, int revision) {
    return Message(
        absl::StrCat("registry_id: '", registry_id, "' progress { revision: ", revision, " }"));
  };
  ASSERT_TRUE(state_.Receive(progress("r", 4)).ok());
  EXPECT_EQ(state_.revision(), 0) << "there is no table yet";
  TakeAfter(Snapshot("r", 5));
  ASSERT_TRUE(state_.Receive(progress("r", 9)).ok());
  EXPECT_EQ(state_.revision(), 9);
  EXPECT_FALSE(state_.changed());
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"r\" from_revision: 9");
  ASSERT_TRUE(state_.Receive(progress("r", 7)).ok());
  ASSERT_TRUE(state_.Receive(progress("another", 20)).ok());
  EXPECT_EQ(state_.revision(), 9);
  ASSERT_TRUE(state_.Receive(PinSet("r", 10, "^2")).ok());
  ASSERT_TRUE(state_.Receive(progress("r", 12)).ok());
  EXPECT_EQ(state_.revision(), 9) << "the change is not in the table";
  Take();
  EXPECT_EQ(state_.revision(), 10);
}

TEST_F(RoutingStateTest, GathersTheParts) {
  state_.BeginStream();
  ASSERT_TRUE(
      state_
          .Receive(Message(
              R"pb(registry_id: "r"
                   snapshot {
                     first: true
                     revision: 5
                     resources {
                       service { name: "greeter" scheme: SEMVER grpc_services: "acme.Greeter" }
                     }
                   })pb"))
          .ok());
  EXPECT_FALSE(state_.changed());
  ASSERT_TRUE(
      state_
          .Receive(Message(
              R"pb(registry_id: "r"
                   snapshot {
                     revision: 5
                     last: true
                     resources { version { service: "greeter" name: "3.0.0" state: ACTIVE } }
                     resources { channel { service: "greeter" name: "stable" version: "3.0.0" } }
                   })pb"))
          .ok());
  EXPECT_TRUE(state_.changed());
  EXPECT_EQ(VersionFor(*Take()), "3.0.0");
}

TEST_F(RoutingStateTest, AHalfSnapshotIsForgotten) {
  TakeAfter(Snapshot("r", 5));
  ASSERT_TRUE(state_
                  .Receive(Message(R"pb(registry_id: "r"
                                        snapshot { first: true revision: 9 })pb"))
                  .ok());
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"r\"");  // a snapshot, please
  EXPECT_FALSE(state_.changed());
  EXPECT_EQ(state_.revision(), 5);
  EXPECT_FALSE(state_.Receive(PinSet("r", 10, "^2")).ok());
  EXPECT_EQ(VersionFor(*TakeAfter(Snapshot("r", 10))), "1.0.0");
}

TEST_F(RoutingStateTest, RefusesWhatDoesNotFollow) {
  struct Case {
    const char* name;
    registry::v1::WatchResponse message;
    absl::StatusCode code;
    absl::string_view reason;
    const char* says;
  } const cases[] = {
      {"another registry", Snapshot("other", 50), absl::StatusCode::kFailedPrecondition,
       "other_registry", "this is registry other, and this gateway follows r"},
      {"a lower revision", Snapshot("r", 4), absl::StatusCode::kFailedPrecondition,
       "lower_revision", "at revision 4, and this gateway has seen 5: it was set back"},
      {"changes of another registry", PinSet("other", 6, "^2"), absl::StatusCode::kInvalidArgument,
       "invalid", "belong to no snapshot"},
      {"a revision again", PinSet("r", 5, "^2"), absl::StatusCode::kInvalidArgument, "invalid",
       "revision 5 came after 5"},
      {"a part without a beginning", Message(R"pb(registry_id: "r"
                                                  snapshot { revision: 7 })pb"),
       absl::StatusCode::kInvalidArgument, "invalid", "did not begin"},
      {"what cannot be routed by",
       Message(R"pb(registry_id: "r"
                    changes {
                      revisions {
                        revision: 6
                        changes { put { service { name: "Not A Name" } } }
                      }
                    })pb"),
       absl::StatusCode::kInvalidArgument, "invalid", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    state_.BeginStream();
    TakeAfter(Snapshot("r", 5));
    const absl::Status status = state_.Receive(c.message);
    EXPECT_EQ(status.code(), c.code);
    EXPECT_EQ(RefusalName(state_.refusal().reason), c.reason);
    // Only what a word can help names a registry.
    EXPECT_EQ(state_.refusal().registry_ids.empty(), absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says));
    EXPECT_FALSE(state_.changed());
    EXPECT_EQ(state_.revision(), 5);
    EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"r\"");
  }
}

TEST_F(RoutingStateTest, ARefusedSnapshotLeavesTheNextOneFree) {
  TakeAfter(Snapshot("r", 5));
  ASSERT_FALSE(
      state_
          .Receive(Snapshot("r", 6, R"pb(resources { version { service: "greeter" name: "x" } }
                                         resources { service { name: "Not A Name" } })pb"))
          .ok());
  state_.BeginStream();
  EXPECT_EQ(VersionFor(*TakeAfter(Snapshot("r", 7))), "1.0.0");
}

TEST_F(RoutingStateTest, AnOperatorsWordAcceptsOneSnapshot) {
  TakeAfter(Snapshot("r", 5));
  state_.Accept("other");
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"other\"");
  EXPECT_FALSE(state_.Receive(Snapshot("r", 6)).ok());
  state_.BeginStream();
  TakeAfter(Snapshot("other", 2));
  EXPECT_EQ(state_.registry_id(), "other");
  EXPECT_EQ(state_.revision(), 2);
  EXPECT_FALSE(state_.Receive(Snapshot("other", 1)).ok());
}

TEST_F(RoutingStateTest, AnOperatorsWordWaitsForItsSnapshot) {
  TakeAfter(Snapshot("r", 5));
  state_.Accept("r");
  state_.PutSchema({"greeter", "1.0.0", "d1"}, "schema");
  Take();
  EXPECT_EQ(RequestText(), "gateway_id: \"gw\" registry_id: \"r\"");
  TakeAfter(Snapshot("r", 2));
  EXPECT_EQ(state_.revision(), 2);
  EXPECT_FALSE(state_.Receive(Snapshot("r", 1)).ok()) << "it was about one";
  // What was received before the word is not what it is about.
  state_.BeginStream();
  ASSERT_TRUE(state_.Receive(Snapshot("r", 6)).ok());
  state_.Accept("r");
  Take();
  state_.BeginStream();
  TakeAfter(Snapshot("r", 3));
  EXPECT_EQ(state_.revision(), 3);
}

// `count` instances of greeter 1.0.0.
std::string Instances(size_t count) {
  std::string text = kGreeterResources;
  for (size_t i = 2; i < count; ++i) {
    absl::StrAppend(&text, R"(resources { instance { service: "greeter" version: "1.0.0" uid: "i)",
                    i, R"(" address { socket_address { address: "127.0.0.1" port_value: )",
                    8000 + i, "} } } }");
  }
  return text;
}

TEST_F(RoutingStateTest, TheLossOfMostInstancesIsAnAccident) {
  const size_t many = limits::kInstancesWatchedMin;
  TakeAfter(Snapshot("r", 5, Instances(many)));
  ASSERT_TRUE(state_.Receive(Snapshot("r", 6, Instances(many / 2 - 1))).ok());
  const auto table = state_.TakeTable();
  EXPECT_EQ(table.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("only 3 would be left"));
  EXPECT_EQ(state_.refusal().reason, RefusalReason::kLostInstances);
  EXPECT_THAT(state_.refusal().registry_ids, testing::ElementsAre("r"));
  EXPECT_EQ(state_.revision(), 5);

  state_.BeginStream();
  TakeAfter(Snapshot("r", 7, Instances(many / 2)));  // half is a deployment
  state_.BeginStream();
  TakeAfter(Snapshot("r", 8, Instances(2)));  // few to begin with
}

TEST_F(RoutingStateTest, TheSameLossStepByStepIsFine) {
  const size_t many = limits::kInstancesWatchedMin;
  TakeAfter(Snapshot("r", 5, Instances(many)));
  for (size_t i = 2; i < many; ++i) {
    TakeAfter(Message(absl::StrCat("registry_id: \"r\" changes { revisions { revision: ", 10 + i,
                                   " changes { deleted { instance { uid: \"i", i, "\" } } } } }")));
  }
  EXPECT_EQ(state_.revision(), static_cast<int64_t>(10 + many - 1));
}

TEST_F(RoutingStateTest, ProgressAndWhatIsUnknownChangeNothing) {
  TakeAfter(Snapshot("r", 5));
  EXPECT_TRUE(state_.Receive(Message("registry_id: \"r\" progress { revision: 8 }")).ok());
  EXPECT_TRUE(state_.Receive(Message("registry_id: \"r\"")).ok());
  EXPECT_FALSE(state_.changed());
}

TEST_F(RoutingStateTest, SchemasAloneAreToldFromAChange) {
  (void)state_.BeginStream();
  ASSERT_TRUE(state_.Receive(Snapshot("r", 5)).ok());
  EXPECT_FALSE(state_.only_schemas_changed());
  ASSERT_TRUE(state_.TakeTable().ok());
  state_.PutSchema({"greeter", "1.0.0", "d1"}, "schema");
  EXPECT_TRUE(state_.only_schemas_changed());
  ASSERT_TRUE(state_.Receive(PinSet("r", 6, "^2")).ok());
  state_.PutSchema({"greeter", "2.0.0", "d2"}, "schema");
  EXPECT_FALSE(state_.only_schemas_changed()) << "a pin is among it";
  const auto table = state_.TakeTable();
  ASSERT_TRUE(table.ok());
  EXPECT_NE((*table)->FindSchema("d1"), nullptr);
  EXPECT_NE((*table)->FindSchema("d2"), nullptr);
  EXPECT_FALSE(state_.only_schemas_changed());
}

TEST_F(RoutingStateTest, ASchemaThatIsNotThereIsWantedByTheNextVersionThatHasIt) {
  const auto version = [](int revision, const std::string& name) {
    return Message(absl::StrCat("registry_id: 'r' changes { revisions { revision: ", revision,
                                " changes { put { version { service: 'greeter' name: '", name,
                                "' state: ACTIVE schema_digest: 'd1' } } } } }"));
  };
  TakeAfter(Snapshot("r", 5));
  TakeAfter(version(6, "3.0.0"));
  const std::optional<SchemaKey> key = state_.TakeWantedSchema();
  ASSERT_TRUE(key.has_value());
  TakeAfter(version(7, "3.0.1"));
  EXPECT_FALSE(state_.TakeWantedSchema().has_value()) << "it is being fetched";
  state_.ForgetSchema(*key);
  EXPECT_FALSE(state_.TakeWantedSchema().has_value());
  TakeAfter(version(8, "3.0.2"));
  const std::optional<SchemaKey> again = state_.TakeWantedSchema();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->version, "3.0.2");
  EXPECT_EQ(again->digest, "d1");
}

}  // namespace
}  // namespace pinion::watch
