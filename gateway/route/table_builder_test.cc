#include "gateway/route/table_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/limits.h"
#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::HasSubstr;

constexpr char kGreeter[] =
    "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }";
constexpr char kVersion1[] = "version { service: 'greeter' name: '1.0.0' state: ACTIVE }";
constexpr char kVersion2[] = "version { service: 'greeter' name: '2.0.0' state: ACTIVE }";
constexpr char kBilling[] = "consumer { name: 'billing' }";
constexpr char kPin[] = "pin { consumer: 'billing' service: 'greeter' expression: '^1' }";

std::string Instance(const std::string& uid, const std::string& version, int port) {
  return "instance { service: 'greeter' version: '" + version + "' uid: '" + uid +
         "' address { socket_address { address: '127.0.0.1' port_value: " + std::to_string(port) +
         " } } }";
}

absl::Status Delete(TableBuilder& builder, const std::string& text) {
  return builder.Delete(ParseResource(text));
}

// What else an address may be is in base/address_test.cc.
TEST(TableBuilderTest, RefusesInstancesThatCannotBeReached) {
  const struct {
    const char* address;
    const char* says;
  } cases[] = {
      {"", "the host is missing"},
      {"address { pipe { } }", "path of the Unix socket is missing"},
      {"address { socket_address { address: '10.0.1' port_value: 80 } }",
       "neither an IP address nor a DNS name"},
      {"address { socket_address { address: '::1' } }", "from 1 to 65535"},
      {"address { socket_address { address: '::1' port_value: 65536 } }", "above 65535"},
  };
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1});
  for (const auto& each : cases) {
    const absl::Status status = builder.Put(ParseResource(absl::StrCat(
        "instance { service: 'greeter' version: '1.0.0' uid: 'x' ", each.address, " }")));
    EXPECT_THAT(status.message(), HasSubstr(each.says)) << each.address;
  }
}

TEST(TableBuilderTest, RefusesWithAdviceAndKeepsWhatItHad) {
  struct Case {
    std::string resource;
    std::string says;
  };
  const Case cases[] = {
      {"", "older than the registry"},
      {"service { name: 'Greeter' scheme: SEMVER }", "lower-case"},
      {"service { name: 'greeter' }", "no scheme"},
      {"service { name: 'greeter' scheme: DATE }", "1.0.0"},
      {"service { name: 'dated' scheme: DATE version_from_package: true }", "never is a date"},
      {"service { name: 'greeter' scheme: SEMVER grpc_services: 'a/b' }", "full name"},
      {"service { name: 'greeter' scheme: SEMVER unpinned { channel: '@x' } }", "write `x`"},
      {"service { name: 'other' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
       "belongs to `greeter`"},
      {"version { service: 'greeter' name: '1' }", "such as 1.0.0"},
      {"version { service: 'greeter' name: '1.2.0' deprecation { time { seconds: 2 } "
       "sunset_time { seconds: 1 } } }",
       "sunset before its deprecation"},
      {"version { service: 'greeter' name: '1.2.0' deprecation { link: 'a>b' } }", "link"},
      {"version { service: 'greeter' name: '1.2.0' deprecation { link: 'a\\nb' } }", "link"},
      {"version { service: '' name: '1.2.0' }", "empty"},
      {"channel { service: 'greeter' name: '@stable' version: '1.0.0' }", "write `stable`"},
      {"channel { service: 'greeter' name: 'stable' }", "no version"},
      {Instance("", "1.0.0", 7001), "uid"},
      {Instance("x", "", 7001), "no version"},
      {"consumer { name: '' }", "1 to 128 bytes"},
      {"consumer { name: 'c' default_channel: '@x' }", "write `x`"},
      {"consumer { name: 'c' identities { } }", "identity is empty"},
      {"consumer { name: 'c' identities { spiffe_uri: '' } }", "1 to 2048 bytes"},
      {"consumer { name: 'c' identities { api_key_sha256: 'abc' } }", "64 hex digits"},
      {"consumer { name: 'c' identities { jwt { issuer: 'a\\0b' subject: 'c' } } }", "NUL"},
      {"consumer { name: 'c' identities { trusted_header: 'billing' } }", "belongs to"},
      {"consumer { name: 'c' identities { dns_san: 'SHIP.example.com' } }", "consumer `shipping`"},
      {"consumer { name: 'ship' }", "trusted-header identity of consumer `shipping`"},
      {"pin { service: 'greeter' expression: '^1' }", "consumer's name"},
      {"pin { consumer: 'billing' expression: '^1' }", "empty"},
      {"pin { consumer: 'billing' service: 'greeter' expression: '1' }", "write ^1"},
      {"pin { consumer: 'billing' service: 'greeter' expression: '' }", "1 to 256"},
      {"pin { consumer: 'billing' service: 'greeter' method: 'SayHello' expression: '^1' }",
       "/package.Service/Method"},
      {"pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { seconds: -1 } }",
       "drain"},
      {"pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { nanos: -1 } }",
       "from 0 to 8760h"},
      {"pin { consumer: 'billing' service: 'greeter' expression: '^1' "
       "drain { seconds: 31536000 nanos: 1 } }",
       "from 0 to 8760h"},
      {"resolution { service: 'greeter' expression: '1' version: '1.0.0' }", "write ^1"},
  };
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kBilling, kPin,
                   "consumer { name: 'shipping' identities { trusted_header: 'ship' } "
                   "identities { dns_san: 'ship.example.com' } }"});
  const auto before = builder.Build();
  for (const Case& c : cases) {
    const absl::Status status = builder.Put(ParseResource(c.resource));
    EXPECT_FALSE(status.ok()) << c.resource;
    EXPECT_THAT(status.message(), HasSubstr(c.says)) << c.resource;
  }
  EXPECT_FALSE(builder.Apply(routing::v1::Change()).ok());
  const auto after = builder.Build();
  EXPECT_EQ(after->FindService("greeter"), before->FindService("greeter"));
  EXPECT_EQ(after->consumer_count(), 2u);
  EXPECT_EQ(after->pin_count(), 1u);
  EXPECT_EQ(Outcome(ResolveCall(*after, {.consumer = "billing"})), "1.0.0 by service-pin (^1)");
}

TEST(TableBuilderTest, OrderDoesNotMatter) {
  TableBuilder builder;
  PutAll(builder, {kPin, Instance("a", "1.0.0", 7001), kBilling, kVersion1,
                   "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
                   "resolution { service: 'greeter' expression: '^1' version: '1.0.0' }"});
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), {.consumer = "billing"})), "SERVICE_UNKNOWN");
  PutAll(builder, {kGreeter});
  const auto table = builder.Build();
  EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = "billing"})), "1.0.0 by service-pin (^1)");
  EXPECT_EQ(table->FindService("greeter")->FindVersion("1.0.0")->instances->size(), 1u);
}

TEST(TableBuilderTest, Deletions) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kBilling, kPin, Instance("a", "1.0.0", 7001),
                   "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
                   "resolution { service: 'greeter' expression: '^1' version: '1.0.0' }"});
  const TestCall pinned = {.consumer = "billing"};

  ASSERT_TRUE(Delete(builder, "instance { uid: 'a' }").ok());
  auto table = builder.Build();
  EXPECT_TRUE(table->FindService("greeter")->FindVersion("1.0.0")->instances->empty());
  EXPECT_EQ(Outcome(ResolveCall(*table, pinned)), "1.0.0 by service-pin (^1)");

  ASSERT_TRUE(Delete(builder, "pin { consumer: 'billing' service: 'greeter' }").ok());
  table = builder.Build();
  EXPECT_EQ(table->pin_count(), 0u);
  EXPECT_EQ(Outcome(ResolveCall(*table, pinned)), "1.0.0 by unpinned-policy (@stable)");

  ASSERT_TRUE(Delete(builder, "channel { service: 'greeter' name: 'stable' }").ok());
  EXPECT_EQ(Outcome(ResolveCall(*builder.Build(), pinned)), "VERSION_NOT_FOUND");

  ASSERT_TRUE(Delete(builder, "resolution { service: 'greeter' expression: '^1' }").ok());
  ASSERT_TRUE(Delete(builder, "version { service: 'greeter' name: '1.0.0' }").ok());
  ASSERT_TRUE(Delete(builder, "consumer { name: 'billing' }").ok());
  table = builder.Build();
  EXPECT_TRUE(table->FindService("greeter")->versions.empty());
  EXPECT_TRUE(table->FindService("greeter")->expressions_by_text.empty());
  EXPECT_EQ(table->consumer_count(), 0u);
  EXPECT_TRUE(table->has_services());

  ASSERT_TRUE(Delete(builder, "service { name: 'greeter' }").ok());
  table = builder.Build();
  EXPECT_EQ(table->FindService("greeter"), nullptr);
  EXPECT_EQ(Outcome(ResolveCall(*table, {})), "SERVICE_UNKNOWN");
  EXPECT_TRUE(table->Services().empty());
  EXPECT_FALSE(table->has_services());

  // What is not there is deleted already.
  for (const char* gone :
       {"instance { uid: 'a' }", "pin { consumer: 'billing' service: 'greeter' }",
        "channel { service: 'greeter' name: 'stable' }", "consumer { name: 'billing' }",
        "resolution { service: 'greeter' expression: '^1' }", "service { name: 'greeter' }",
        "version { service: 'greeter' name: '1.0.0' }", "version { service: 'no' name: '1.0.0' }",
        "pin { consumer: 'billing' service: 'greeter' method: '/a.B/C' }"}) {
    EXPECT_TRUE(Delete(builder, gone).ok()) << gone;
  }
  EXPECT_FALSE(builder.Delete(routing::v1::Resource()).ok());
}

TEST(TableBuilderTest, VersionIdsAreStable) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kVersion2});
  const auto first = builder.Build();
  const auto id = [](const RouteTable& table, const char* version) {
    return table.FindService("greeter")->FindVersion(version)->id;
  };
  const uint32_t id1 = id(*first, "1.0.0");
  const uint32_t id2 = id(*first, "2.0.0");
  EXPECT_NE(id1, id2);
  EXPECT_LT(std::max(id1, id2), 2u);
  ASSERT_TRUE(Delete(builder, "version { service: 'greeter' name: '1.0.0' }").ok());
  PutAll(builder, {"version { service: 'greeter' name: '3.0.0' }"});
  EXPECT_EQ(id(*builder.Build(), "3.0.0"), 2u);
  builder.Clear();
  PutAll(builder, {kVersion2, kGreeter, kVersion1});
  const auto again = builder.Build();
  EXPECT_EQ(id(*again, "1.0.0"), id1);
  EXPECT_EQ(id(*again, "2.0.0"), id2);
  EXPECT_EQ(again->FindService("greeter")->FindVersion("3.0.0"), nullptr);
}

TEST(TableBuilderTest, SharesWhatDoesNotChange) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kVersion2, Instance("a", "1.0.0", 7001), kBilling, kPin,
                   "service { name: 'other' scheme: INTEGER }"});
  const auto before = builder.Build();
  const auto entry = [](const RouteTable& table) { return table.FindService("greeter"); };

  // A pin that uses a known expression touches no service.
  PutAll(builder, {"pin { consumer: 'shipping' service: 'greeter' expression: '^1' }"});
  const auto pinned = builder.Build();
  EXPECT_EQ(entry(*pinned), entry(*before));
  EXPECT_EQ(before->pin_count(), 1u);
  EXPECT_EQ(pinned->pin_count(), 2u);

  // An instance touches its version only, and resolves nothing anew.
  PutAll(builder, {Instance("b", "1.0.0", 7002)});
  const auto grown = builder.Build();
  EXPECT_NE(entry(*grown)->FindVersion("1.0.0"), entry(*before)->FindVersion("1.0.0"));
  EXPECT_EQ(entry(*grown)->FindVersion("2.0.0"), entry(*before)->FindVersion("2.0.0"));
  EXPECT_EQ(grown->FindService("other"), before->FindService("other"));
  EXPECT_EQ(Outcome(ResolveCall(*grown, {.consumer = "billing"})), "1.0.0 by service-pin (^1)");
  const Resolved resolved = ResolveCall(*grown, {.consumer = "billing"});
  EXPECT_EQ(std::get<Route>(resolved).version->instances->size(), 2u);

  // A new state of a version leaves the instances as they were.
  PutAll(builder, {"version { service: 'greeter' name: '1.0.0' state: DEPRECATED }"});
  const auto deprecated = builder.Build();
  EXPECT_EQ(entry(*deprecated)->FindVersion("1.0.0")->instances,
            entry(*grown)->FindVersion("1.0.0")->instances);
  EXPECT_GT(deprecated->generation(), grown->generation());
}

// What a table is made of that the one before it does not have: after a pin that moved to an
// expression that others use, and after one that moved to a new one.
std::pair<size_t, size_t> CopiedByAPinAmong(int services) {
  TableBuilder builder;
  PutAll(builder, {kBilling});
  for (int i = 0; i < services; ++i) {
    const std::string name = absl::StrCat("service-", i);
    PutAll(builder,
           {absl::StrCat("service { name: '", name, "' scheme: SEMVER grpc_services: 'pkg.S", i,
                         "' }"),
            absl::StrCat("version { service: '", name, "' name: '1.0.0' state: ACTIVE }"),
            absl::StrCat("pin { consumer: 'shipping' service: '", name, "' expression: '^1' }"),
            absl::StrCat("pin { consumer: 'support' service: '", name, "' expression: '1.0.0' }"),
            absl::StrCat("pin { consumer: 'billing' service: '", name, "' expression: '1.0.0' }")});
    builder.PutSchema(name, "schema");
  }
  const auto first = builder.Build();
  PutAll(builder, {"pin { consumer: 'billing' service: 'service-7' expression: '^1' }"});
  const auto second = builder.Build();
  PutAll(builder, {"pin { consumer: 'billing' service: 'service-7' expression: '1.x' }"});
  const auto third = builder.Build();
  EXPECT_EQ(Outcome(ResolveCall(*third, {.path = "/pkg.S7/Call", .consumer = "billing"})),
            "1.0.0 by service-pin (1.x)");
  return {second->CopiedSince(*first), third->CopiedSince(*second)};
}

TEST(TableBuilderTest, AMovedPinCopiesAsMuchAmongTenThousandServicesAsAmongTen) {
  // A page of pins and its group; and of services, where one has a new expression.
  const std::pair<size_t, size_t> pages = {2, 4};
  EXPECT_EQ(CopiedByAPinAmong(10), pages);
  EXPECT_EQ(CopiedByAPinAmong(10'000), pages);
}

TEST(TableBuilderTest, InstancesMoveByUid) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kVersion2, Instance("a", "1.0.0", 7001)});
  PutAll(builder, {Instance("a", "2.0.0", 7001)});
  const auto table = builder.Build();
  const ServiceEntry& greeter = *table->FindService("greeter");
  EXPECT_TRUE(greeter.FindVersion("1.0.0")->instances->empty());
  ASSERT_EQ(greeter.FindVersion("2.0.0")->instances->size(), 1u);
  const InstanceEntry& instance = greeter.FindVersion("2.0.0")->instances->front();
  EXPECT_EQ(instance.host, "127.0.0.1");
  EXPECT_EQ(instance.port, 7001);
  EXPECT_EQ(instance.weight, 1u);
}

TEST(TableBuilderTest, UnixSockets) {
  const auto table = TableOf({kGreeter, kVersion1,
                              "instance { service: 'greeter' version: '1.0.0' uid: 'a' weight: 3 "
                              "zone: 'z' tls_name: 't' address { pipe { path: '/run/g' } } }"});
  const InstanceEntry& instance =
      table->FindService("greeter")->FindVersion("1.0.0")->instances->front();
  EXPECT_EQ(instance.host, "/run/g");
  EXPECT_EQ(instance.port, 0);
  EXPECT_EQ(instance.weight, 3u);
  EXPECT_EQ(instance.zone + instance.tls_name, "zt");
}

TEST(TableBuilderTest, IdentitiesCanMoveBetweenConsumers) {
  TableBuilder builder;
  PutAll(builder, {"consumer { name: 'a' identities { trusted_header: 'x' } }"});
  EXPECT_EQ(builder.Put(ParseResource("consumer { name: 'x' }")).code(),
            absl::StatusCode::kAlreadyExists);
  PutAll(builder, {"consumer { name: 'a' }", "consumer { name: 'x' }",
                   "consumer { name: 'b' identities { spiffe_uri: 'spiffe://s' } }"});
  EXPECT_FALSE(
      builder.Put(ParseResource("consumer { name: 'c' identities { spiffe_uri: 'spiffe://s' } }"))
          .ok());
  ASSERT_TRUE(Delete(builder, "consumer { name: 'b' }").ok());
  PutAll(builder, {"consumer { name: 'c' identities { spiffe_uri: 'spiffe://s' } }"});
  const auto table = builder.Build();
  EXPECT_EQ(table->FindConsumerByHeader("x")->name, "x");
  EXPECT_EQ(table->FindConsumer(IdentityKind::kSpiffe, "spiffe://s")->name, "c");
  EXPECT_EQ(table->consumer_count(), 3u);
}

// Numbers of expressions are given again when the last pin leaves them, so that churn uses none up.
TEST(TableBuilderTest, ExpressionsOfGonePinsAreForgotten) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1});
  for (size_t i = 0; i < limits::kMaxExpressionsPerService + 10; ++i) {
    PutAll(builder, {absl::StrCat("pin { consumer: 'billing' service: 'greeter' expression: '1.", i,
                                  ".0' }")});
  }
  EXPECT_LE(builder.Build()->FindService("greeter")->expressions.size(), 2u);
}

// Nothing else shows a drain that outlives its pin: it would only take room, for ever.
TEST(TableBuilderTest, ADrainGoesWithItsPin) {
  constexpr char kDraining[] =
      "pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { seconds: 60 } }";
  constexpr char kMethodPin[] =
      "pin { consumer: 'billing' service: 'greeter' method: '/helloworld.Greeter/SayHello' "
      "expression: '^1' drain { seconds: 60 } }";
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1, kDraining, kMethodPin});
  EXPECT_TRUE(builder.Build()->has_drains());
  ASSERT_TRUE(Delete(builder, kDraining).ok());
  EXPECT_TRUE(builder.Build()->has_drains()) << "the method's";
  ASSERT_TRUE(Delete(builder, kMethodPin).ok());
  EXPECT_FALSE(builder.Build()->has_drains());
  PutAll(builder, {kDraining, "pin { consumer: 'billing' service: 'greeter' expression: '^1' }"});
  EXPECT_FALSE(builder.Build()->has_drains()) << "set again without one";
}

TEST(TableBuilderTest, TooManyExpressionsAreRefused) {
  TableBuilder builder;
  PutAll(builder, {kGreeter, kVersion1});
  for (size_t i = 0; i < limits::kMaxExpressionsPerService; ++i) {
    PutAll(builder, {absl::StrCat("pin { consumer: 'c", i, "' service: 'greeter' expression: '1.",
                                  i, ".0' }")});
  }
  const auto more =
      ParseResource("pin { consumer: 'more' service: 'greeter' expression: '9.9.9' }");
  EXPECT_EQ(builder.Put(more).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(builder.Build()->pin_count(), limits::kMaxExpressionsPerService);
}

}  // namespace
}  // namespace pinion::route
