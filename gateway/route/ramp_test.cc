// Channels that are ramped: which callers get the ramp's version, however the channel is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

std::string Ramp(uint32_t percent, const std::string& version = "2.0.0") {
  return absl::StrCat(
      "channel { service: 'greeter' name: 'stable' version: '1.0.0' ramp { version: '", version,
      "' percent: ", percent, " } }");
}

// The service `greeter` and as many consumers, c0, c1, …, all without pins.
void PutGreeter(TableBuilder& builder, int consumers = 0) {
  PutAll(builder, {"service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
                   "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
                   "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
                   "version { service: 'greeter' name: '3.0.0' state: SUNSET }",
                   "channel { service: 'greeter' name: 'stable' version: '1.0.0' }"});
  for (int i = 0; i < consumers; ++i) {
    PutAll(builder, {absl::StrCat("consumer { name: 'c", i, "' }")});
  }
}

// A registered consumer that is among 50 per cent, and one that is not.
struct Pair {
  std::string among;
  std::string other;
};
Pair TwoConsumers() {
  const version::RampShare share("greeter", "stable", "2.0.0", 50);
  Pair pair;
  for (int i = 0; pair.among.empty() || pair.other.empty(); ++i) {
    const std::string name = absl::StrCat("c", i);
    (share.Includes(name) ? pair.among : pair.other) = name;
  }
  return pair;
}

TEST(RampTest, EachConsumerHasOneVersionAndALargerShareOnlyMovesItOn) {
  constexpr int kConsumers = 2000;
  TableBuilder builder;
  PutGreeter(builder, kConsumers);
  std::map<int, bool> moved;
  for (const uint32_t percent : {10u, 50u, 99u}) {
    PutAll(builder, {Ramp(percent)});
    const auto table = builder.Build();
    int count = 0;
    for (int i = 0; i < kConsumers; ++i) {
      const std::string name = absl::StrCat("c", i);
      const std::string outcome = Outcome(ResolveCall(*table, {.consumer = name}));
      EXPECT_EQ(outcome, Outcome(ResolveCall(*table, {.consumer = name})));
      const bool now = outcome == "2.0.0 by unpinned-policy (@stable)";
      EXPECT_TRUE(now || outcome == "1.0.0 by unpinned-policy (@stable)") << outcome;
      EXPECT_TRUE(now || !moved[i]) << name << " went back at " << percent;
      moved[i] = now;
      count += now ? 1 : 0;
    }
    EXPECT_NEAR(count, percent * kConsumers / 100.0, 70);
    EXPECT_EQ(Outcome(ResolveCall(*table, {})), "1.0.0 by unpinned-policy (@stable)");
  }
  PutAll(builder, {"channel { service: 'greeter' name: 'stable' version: '1.0.0' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = TwoConsumers().among})),
            "1.0.0 by unpinned-policy (@stable)")
      << "the ramp was taken back";
}

TEST(RampTest, HoldsHoweverTheChannelIsAskedFor) {
  const Pair pair = TwoConsumers();
  const std::map<std::string, std::string> expected = {{pair.among, "2.0.0"},
                                                       {pair.other, "1.0.0"}};
  for (const auto& [name, version] : expected) {
    TableBuilder builder;
    PutGreeter(builder);
    PutAll(builder, {Ramp(50), absl::StrCat("consumer { name: '", name, "' }")});
    EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = name, .header = "@stable"})),
              absl::StrCat(version, " by api-version (@stable)"));
    PutAll(builder, {absl::StrCat("consumer { name: '", name, "' default_channel: 'stable' }")});
    EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = name})),
              absl::StrCat(version, " by default-channel (@stable)"));
    PutAll(builder, {absl::StrCat("pin { consumer: '", name,
                                  "' service: 'greeter' expression: '@stable' }")});
    EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = name})),
              absl::StrCat(version, " by service-pin (@stable)"));
    EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = name, .header = "@stable"})),
              absl::StrCat(version, " by api-version (@stable)"));
    EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = name, .header = "1.0.0"})),
              "1.0.0 by api-version (1.0.0)");
  }
}

TEST(RampTest, APinOnTheFirstCallIsOnWhatTheCallGot) {
  const Pair pair = TwoConsumers();
  TableBuilder builder;
  PutGreeter(builder);
  PutAll(builder,
         {"service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' unpinned { "
          "pin_on_first_call {} } }",
          Ramp(50), absl::StrCat("consumer { name: '", pair.among, "' }"),
          absl::StrCat("consumer { name: '", pair.other, "' }")});
  const auto table = builder.Build();
  EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = pair.among})),
            "2.0.0 by unpinned-policy (@stable) propose");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = pair.other})),
            "1.0.0 by unpinned-policy (@stable) propose");
}

TEST(RampTest, NewInstancesOfEitherVersionAreSeenThroughAPin) {
  const Pair pair = TwoConsumers();
  TableBuilder builder;
  PutGreeter(builder);
  PutAll(builder, {Ramp(50), absl::StrCat("consumer { name: '", pair.among, "' }"),
                   absl::StrCat("consumer { name: '", pair.other, "' }")});
  for (const std::string& name : {pair.among, pair.other}) {
    PutAll(builder, {absl::StrCat("pin { consumer: '", name,
                                  "' service: 'greeter' expression: '@stable' }")});
  }
  builder.Build();
  for (const char* version : {"1.0.0", "2.0.0"}) {
    PutAll(builder, {absl::StrCat("instance { service: 'greeter' version: '", version, "' uid: '",
                                  version, "' address { pipe { path: '/run/x.sock' } } }")});
    const auto table = builder.Build();
    const bool second = std::string(version) == "2.0.0";
    const Resolved resolved = ResolveCall(*table, {.consumer = second ? pair.among : pair.other});
    EXPECT_EQ(std::get<Route>(resolved).version->instances->size(), 1u) << version;
  }
}

TEST(RampTest, ARampToWhatHasEndedIsRefusedForThoseInItOnly) {
  const version::RampShare share("greeter", "stable", "3.0.0", 50);
  TableBuilder builder;
  PutGreeter(builder, 20);
  PutAll(builder, {Ramp(50, "3.0.0")});
  const auto table = builder.Build();
  for (int i = 0; i < 20; ++i) {
    const std::string name = absl::StrCat("c", i);
    const Resolved resolved = ResolveCall(*table, {.consumer = name});
    if (!share.Includes(name)) {
      EXPECT_EQ(Outcome(resolved), "1.0.0 by unpinned-policy (@stable)");
      continue;
    }
    ASSERT_EQ(Outcome(resolved), "VERSION_NOT_ALLOWED");
    EXPECT_THAT(std::get<Refusal>(resolved).message,
                HasSubstr("`pinion channel ramp greeter stable --stop`"));
  }
  // A version that is not there at all.
  PutAll(builder, {Ramp(99, "9.0.0")});
  const Resolved missing = ResolveCall(*builder.Build(), {.consumer = "c0"});
  EXPECT_EQ(Outcome(missing), "VERSION_NOT_FOUND");
}

TEST(RampTest, IsExplained) {
  const Pair pair = TwoConsumers();
  TableBuilder builder;
  PutGreeter(builder);
  PutAll(builder, {Ramp(50), absl::StrCat("consumer { name: '", pair.among, "' }"),
                   absl::StrCat("consumer { name: '", pair.other, "' }")});
  const auto table = builder.Build();
  const auto explain = [&table](const std::string& name) {
    CallQuery query;
    query.method = *ParseMethodPath("/helloworld.Greeter/SayHello");
    const std::optional<Consumer> consumer = table->FindConsumerByHeader(name);
    if (consumer) query.consumer = &*consumer;
    return table->Explain(query);
  };
  const std::string ramp = "@stable is ramped: 50 % of the registered consumers to 2.0.0; ";
  EXPECT_THAT(explain(pair.among),
              AllOf(Contains(absl::StrCat(ramp, pair.among, " is among them")),
                    Contains("@stable means version 2.0.0, active, with 0 instance(s)")));
  EXPECT_THAT(explain(pair.other),
              AllOf(Contains(absl::StrCat(ramp, pair.other, " is not among them")),
                    Contains("@stable means version 1.0.0, active, with 0 instance(s)")));
  EXPECT_THAT(explain("stranger"), Contains(ramp + "this caller is none"));
}

TEST(RampTest, WhatIsNoRampIsRefusedAndChangesNothing) {
  TableBuilder builder;
  PutGreeter(builder);
  for (const std::string& ramp : {Ramp(0), Ramp(100), Ramp(10, "")}) {
    const absl::Status status = builder.Put(ParseResource(ramp));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << ramp;
    EXPECT_THAT(std::string(status.message()), HasSubstr("1 to 99 per cent"));
  }
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {})), "1.0.0 by unpinned-policy (@stable)");
}

}  // namespace
}  // namespace pinion::route
