// Entitlements limit what a consumer chooses by the call's metadata, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/limits.h"
#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// `billing` may choose 1.x and 2.x.
void PutGreeter(TableBuilder& builder) {
  PutAll(builder,
         {"service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
          "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
          "version { service: 'greeter' name: '1.1.0' state: ACTIVE }",
          "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
          "version { service: 'greeter' name: '3.0.0-rc.1' state: ACTIVE }",
          "version { service: 'greeter' name: '3.0.0' state: ACTIVE }",
          "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
          "channel { service: 'greeter' name: 'edge' version: '3.0.0' }",
          "consumer { name: 'billing' }", "consumer { name: 'shipping' }",
          "entitlement { consumer: 'billing' service: 'greeter' expression: '^1 || ^2' }"});
}

std::string Asked(const RouteTable& table, const std::string& consumer, const std::string& header) {
  return Outcome(ResolveCall(table, {.consumer = consumer, .header = header}));
}

TEST(EntitlementTest, TheHeaderChoosesWithinIt) {
  TableBuilder builder;
  PutGreeter(builder);
  const auto table = builder.Build();
  EXPECT_EQ(Asked(*table, "billing", "2.0.0"), "2.0.0 by api-version (2.0.0)");
  EXPECT_EQ(Asked(*table, "billing", "^1"), "1.1.0 by api-version (^1)");
  EXPECT_EQ(Asked(*table, "billing", "3.0.0"), "VERSION_NOT_ALLOWED");
  EXPECT_EQ(Asked(*table, "billing", "*"), "VERSION_NOT_ALLOWED") << "it means 3.0.0 now";
  EXPECT_EQ(Asked(*table, "billing", "3.0.0-rc.1"), "VERSION_NOT_ALLOWED");
  EXPECT_EQ(Asked(*table, "billing", "@edge"), "3.0.0 by api-version (@edge)")
      << "where a channel leads is its owners' choice";
  // Nobody else is limited.
  EXPECT_EQ(Asked(*table, "shipping", "3.0.0"), "3.0.0 by api-version (3.0.0)");
  EXPECT_EQ(Asked(*table, "", "3.0.0"), "3.0.0 by api-version (3.0.0)");
}

TEST(EntitlementTest, PinsChannelsAndPoliciesAreNotCutOff) {
  TableBuilder builder;
  PutGreeter(builder);
  PutAll(builder, {"channel { service: 'greeter' name: 'stable' version: '3.0.0' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = "billing"})),
            "3.0.0 by unpinned-policy (@stable)");
  PutAll(builder, {"consumer { name: 'billing' default_channel: 'edge' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = "billing"})),
            "3.0.0 by default-channel (@edge)");
  PutAll(builder, {"pin { consumer: 'billing' service: 'greeter' expression: '>=1' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = "billing"})),
            "3.0.0 by service-pin (>=1)");
  // Narrowed below what runs.
  PutAll(builder, {"entitlement { consumer: 'billing' service: 'greeter' expression: '1.0.0' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = "billing"})),
            "3.0.0 by service-pin (>=1)");
}

TEST(EntitlementTest, TheRefusalSaysWhatMayBeChosenAndWhomToAsk) {
  TableBuilder builder;
  PutGreeter(builder);
  const auto table = builder.Build();
  const Resolved resolved = ResolveCall(*table, {.consumer = "billing", .header = "3.0.0"});
  const Refusal& refusal = std::get<Refusal>(resolved);
  EXPECT_EQ(refusal.code, absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refusal.message,
            "`greeter` 3.0.0, which the `api-version` metadata of this call asks for, is none that "
            "consumer `billing` may choose: its entitlement is `^1 || ^2`, which allows 2.0.0, "
            "1.1.0, 1.0.0; send api-version: 2.0.0, or leave it out to use the consumer's pin; the "
            "owners of `greeter` can allow more, as in `pinion entitlement set billing greeter "
            "'^1 || ^2 || 3.0.0'`");
  EXPECT_EQ(Meta(refusal, "entitlement"), "^1 || ^2");
  EXPECT_EQ(Meta(refusal, "available"), "2.0.0, 1.1.0, 1.0.0");
  // Other refusals offer nothing that the next one would refuse.
  const Resolved missing = ResolveCall(*table, {.consumer = "billing", .header = "4.0.0"});
  EXPECT_EQ(Meta(std::get<Refusal>(missing), "available"), "2.0.0, 1.1.0, 1.0.0");
  const Resolved free = ResolveCall(*table, {.consumer = "shipping", .header = "4.0.0"});
  EXPECT_EQ(Meta(std::get<Refusal>(free), "available"), "3.0.0, 3.0.0-rc.1, 2.0.0, 1.1.0, 1.0.0");
}

TEST(EntitlementTest, IsExplained) {
  TableBuilder builder;
  PutGreeter(builder);
  const auto table = builder.Build();
  const auto explain = [&table](std::optional<absl::string_view> header) {
    CallQuery query;
    query.method = *ParseMethodPath("/helloworld.Greeter/SayHello");
    const std::optional<Consumer> consumer = table->FindConsumerByHeader("billing");
    query.consumer = &*consumer;
    query.version_header = header;
    return table->Explain(query);
  };
  const std::string says = "entitlement of the consumer: ^1 || ^2, which ";
  EXPECT_THAT(explain("2.0.0"), Contains(says + "allows that"));
  EXPECT_THAT(explain("3.0.0"), Contains(says + "does not allow that"));
  EXPECT_THAT(explain(std::nullopt), Contains(says + "limits what it chooses, and not this"));
}

TEST(EntitlementTest, ComesAndGoesAndComesBeforeItsService) {
  TableBuilder builder;
  PutAll(builder, {"entitlement { consumer: 'shipping' service: 'greeter' expression: '^3' }"});
  PutGreeter(builder);
  EXPECT_EQ(Asked(*builder.Build(), "shipping", "2.0.0"), "VERSION_NOT_ALLOWED");
  EXPECT_TRUE(
      builder.Delete(ParseResource("entitlement { consumer: 'shipping' service: 'greeter' }"))
          .ok());
  EXPECT_EQ(Asked(*builder.Build(), "shipping", "2.0.0"), "2.0.0 by api-version (2.0.0)");
  EXPECT_EQ(Asked(*builder.Build(), "billing", "3.0.0"), "VERSION_NOT_ALLOWED");
}

TEST(EntitlementTest, WhatIsNoneIsRefusedAndSoAreTooMany) {
  TableBuilder builder;
  PutGreeter(builder);
  for (const char* bad : {"consumer: 'c' expression: '@stable'", "consumer: 'c' expression: '1'",
                          "expression: '^1'", "consumer: 'c'"}) {
    const absl::Status status =
        builder.Put(ParseResource(absl::StrCat("entitlement { service: 'greeter' ", bad, " }")));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad << ": " << status;
  }
  for (size_t i = 1; i <= limits::kMaxEntitlementsPerService; ++i) {
    const absl::Status status = builder.Put(ParseResource(
        absl::StrCat("entitlement { service: 'greeter' consumer: 'c", i, "' expression: '^1' }")));
    EXPECT_EQ(status.ok(), i < limits::kMaxEntitlementsPerService) << i << status;
  }
  PutAll(builder, {"entitlement { consumer: 'billing' service: 'greeter' expression: '^3' }"});
}

}  // namespace
}  // namespace pinion::route
