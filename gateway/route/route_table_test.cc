#include "gateway/route/route_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::ElementsAre;

// Every source of precedence exists for somebody here.
std::shared_ptr<const RouteTable> PrecedenceTable() {
  return TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' "
      "unpinned { channel: 'stable' } }",
      "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
      "version { service: 'greeter' name: '1.1.0' state: ACTIVE }",
      "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
      "version { service: 'greeter' name: '3.0.0-rc.1' state: ACTIVE }",
      "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
      "channel { service: 'greeter' name: 'next' version: '3.0.0-rc.1' }",
      "consumer { name: 'plain' }",
      "consumer { name: 'pinned' default_channel: 'next' }",
      "pin { consumer: 'pinned' service: 'greeter' expression: '^1' }",
      "pin { consumer: 'pinned' service: 'greeter' method: '/helloworld.Greeter/Other' "
      "expression: '^2' }",
      "consumer { name: 'channelled' default_channel: 'next' }",
      "consumer { name: 'elsewhere' default_channel: 'beta' }",
      "consumer { name: 'broken' default_channel: 'next' }",
      "pin { consumer: 'broken' service: 'greeter' expression: '9.9.9' }",
  });
}

TEST(RouteTableTest, Precedence) {
  const auto table = PrecedenceTable();
  struct Case {
    TestCall call;
    std::string outcome;
  };
  const std::string hello = "/helloworld.Greeter/SayHello";
  const std::string other = "/helloworld.Greeter/Other";
  const Case cases[] = {
      // 1. api-version metadata goes before everything.
      {{hello, "pinned", "2.0.0"}, "2.0.0 by api-version (2.0.0)"},
      {{other, "pinned", "1.0.0"}, "1.0.0 by api-version (1.0.0)"},
      {{hello, "pinned", "@next"}, "3.0.0-rc.1 by api-version (@next)"},
      {{hello, "", " ~1.0 "}, "1.0.0 by api-version ( ~1.0 )"},
      {{hello, "", "^1"}, "1.1.0 by api-version (^1)"},
      // 2., 3. Pin for the method, then for the service.
      {{other, "pinned", {}}, "2.0.0 by method-pin (^2)"},
      {{hello, "pinned", {}}, "1.1.0 by service-pin (^1)"},
      // 4. Default channel, if the service has it.
      {{hello, "channelled", {}}, "3.0.0-rc.1 by default-channel (@next)"},
      {{hello, "elsewhere", {}}, "1.0.0 by unpinned-policy (@stable)"},
      // 6. Policy for the unpinned.
      {{hello, "plain", {}}, "1.0.0 by unpinned-policy (@stable)"},
      {{hello, "", {}}, "1.0.0 by unpinned-policy (@stable)"},
      {{hello, "nobody", {}}, "1.0.0 by unpinned-policy (@stable)"},
      // A source that exists but does not resolve is refused, never passed over.
      {{hello, "pinned", "9.0.0"}, "VERSION_NOT_FOUND"},
      {{hello, "pinned", ""}, "PIN_MALFORMED"},
      {{hello, "pinned", "1"}, "PIN_MALFORMED"},
      {{hello, "broken", {}}, "VERSION_NOT_FOUND"},
      {{hello, "broken", "2.0.0"}, "2.0.0 by api-version (2.0.0)"},
      {{"/helloworld.Nobody/SayHello", "pinned", {}}, "SERVICE_UNKNOWN"},
      {{"/helloworld.greeter/SayHello", "pinned", {}}, "SERVICE_UNKNOWN"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Outcome(ResolveCall(*table, c.call)), c.outcome)
        << c.call.path << " " << c.call.consumer << " " << c.call.header.value_or("-");
  }
}

TEST(RouteTableTest, EmptyTableRefuses) {
  EXPECT_EQ(Outcome(ResolveCall(RouteTable(), {})), "SERVICE_UNKNOWN");
}

TEST(RouteTableTest, UnpinnedPolicies) {
  struct Case {
    std::string policy;
    std::string unregistered;
    std::string registered;
  };
  const Case cases[] = {
      {"", "1.0.0 by unpinned-policy (@stable)", "1.0.0 by unpinned-policy (@stable)"},
      {"unpinned {}", "1.0.0 by unpinned-policy (@stable)", "1.0.0 by unpinned-policy (@stable)"},
      {"unpinned { channel: 'edge' }", "2.0.0 by unpinned-policy (@edge)",
       "2.0.0 by unpinned-policy (@edge)"},
      {"unpinned { channel: 'none' }", "VERSION_NOT_FOUND", "VERSION_NOT_FOUND"},
      {"unpinned { reject {} }", "PIN_REQUIRED", "PIN_REQUIRED"},
      // Only registered consumers are pinned.
      {"unpinned { pin_on_first_call {} }", "1.0.0 by unpinned-policy (@stable)",
       "1.0.0 by unpinned-policy (@stable) propose"},
      {"unpinned { pin_on_first_call { channel: 'edge' } }", "2.0.0 by unpinned-policy (@edge)",
       "2.0.0 by unpinned-policy (@edge) propose"},
  };
  for (const Case& c : cases) {
    const auto table = TableOf({
        "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' " + c.policy +
            " }",
        "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
        "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
        "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
        "channel { service: 'greeter' name: 'edge' version: '2.0.0' }",
        "consumer { name: 'billing' }",
    });
    EXPECT_EQ(Outcome(ResolveCall(*table, {})), c.unregistered) << c.policy;
    EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = "billing"})), c.registered) << c.policy;
    EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = "billing", .header = "2.0.0"})),
              "2.0.0 by api-version (2.0.0)");
  }
}

TEST(RouteTableTest, VersionFromPackage) {
  struct Case {
    std::string scheme;
    std::vector<std::string> versions;
    std::string path;
    std::string outcome;
  };
  const std::vector<std::string> k8s = {"v1", "v2", "v3beta1"};
  const std::vector<std::string> semver = {"1.0.0", "2.0.0", "2.4.0"};
  const Case cases[] = {
      {"K8S", k8s, "/acme.v2.X/Get", "v2 by package (v2)"},
      {"K8S", k8s, "/acme.v3beta1.X/Get", "v3beta1 by package (v3beta1)"},
      {"K8S", k8s, "/acme.v9.X/Get", "VERSION_NOT_FOUND"},
      {"K8S", k8s, "/acme.v2.admin.X/Get", "v2 by package (v2)"},
      // No version in the package: not a source.
      {"K8S", k8s, "/acme.X/Get", "v1 by unpinned-policy (@stable)"},
      {"K8S", k8s, "/acme.v2/Get", "v1 by unpinned-policy (@stable)"},
      {"SEMVER", semver, "/acme.v2.X/Get", "2.4.0 by package (^2)"},
      {"SEMVER", semver, "/acme.v3beta1.X/Get", "PIN_MALFORMED"},
      {"INTEGER", {"1", "2"}, "/acme.v2.X/Get", "2 by package (2)"},
  };
  for (const Case& c : cases) {
    TableBuilder builder;
    PutAll(builder,
           {"service { name: 'acme' version_from_package: true scheme: " + c.scheme +
                " grpc_services: ['acme.v2.X', 'acme.v3beta1.X', 'acme.v9.X', 'acme.X', "
                "'acme.v2', 'acme.v2.admin.X'] }",
            "channel { service: 'acme' name: 'stable' version: '" + c.versions[0] + "' }",
            "consumer { name: 'pinned' }",
            "pin { consumer: 'pinned' service: 'acme' expression: '" + c.versions[0] + "' }"});
    for (const std::string& version : c.versions) {
      PutAll(builder, {"version { service: 'acme' name: '" + version + "' state: ACTIVE }"});
    }
    const auto table = builder.Build();
    EXPECT_EQ(Outcome(ResolveCall(*table, {.path = c.path})), c.outcome) << c.scheme << c.path;
    EXPECT_EQ(Outcome(ResolveCall(*table, {.path = c.path, .consumer = "pinned"})),
              absl::StrCat(c.versions[0], " by service-pin (", c.versions[0], ")"));
  }
}

TEST(RouteTableTest, RecordedResolutionsDecideRangesOnly) {
  const auto table = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
      "version { service: 'greeter' name: '1.1.0' state: ACTIVE }",
      "channel { service: 'greeter' name: 'stable' version: '1.1.0' }",
      // Sticky: 1.1.0 is newer, but the registry has not moved this expression.
      "resolution { service: 'greeter' expression: '^1' version: '1.0.0' }",
      "resolution { service: 'greeter' expression: '~1.1' version: '' }",
      "resolution { service: 'greeter' expression: '1.1.0' version: '1.0.0' }",
      "resolution { service: 'greeter' expression: '@stable' version: '1.0.0' }",
      "consumer { name: 'billing' }",
      "pin { consumer: 'billing' service: 'greeter' expression: '^1.x' }",
  });
  EXPECT_EQ(Outcome(ResolveCall(*table, {.consumer = "billing"})), "1.0.0 by service-pin (^1)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "^1"})), "1.0.0 by api-version (^1)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "~1.1"})), "VERSION_NOT_FOUND");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "~1"})), "1.1.0 by api-version (~1)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "1.1.0"})), "1.1.0 by api-version (1.1.0)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "@stable"})), "1.1.0 by api-version (@stable)");
}

TEST(RouteTableTest, StaticVersionsAreActiveAtOnce) {
  const auto table = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.0' }",
      "version { service: 'greeter' name: '1.1.0' deprecation { successor: '2.0.0' } }",
  });
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "^1"})), "1.0.0 by api-version (^1)");
  EXPECT_EQ(table->FindService("greeter")->FindVersion("1.1.0")->state, routing::v1::DEPRECATED);
}

TEST(RouteTableTest, ResponseMetadataOfDeprecatedVersions) {
  const auto table = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.0' state: DEPRECATED deprecation { "
      "time { seconds: 1764000000 } sunset_time { seconds: 1767225599 } successor: '2.0.0' "
      "link: 'https://example.com/v2' } }",
      "version { service: 'greeter' name: '2.0.0' state: ACTIVE deprecation { "
      "time { seconds: 1764000000 } } }",
  });
  const ServiceEntry& service = *table->FindService("greeter");
  const VersionEntry& old = *service.FindVersion("1.0.0");
  EXPECT_EQ(old.deprecation_header, "@1764000000");
  EXPECT_EQ(old.sunset_header, "Wed, 31 Dec 2025 23:59:59 GMT");
  EXPECT_EQ(old.link_header, "<https://example.com/v2>; rel=\"successor-version\"");
  const VersionEntry& current = *service.FindVersion("2.0.0");
  EXPECT_EQ(current.deprecation_header + current.sunset_header + current.link_header, "");
  std::vector<std::string> names;
  for (const auto& version : service.versions) names.push_back(version->name);
  EXPECT_THAT(names, ElementsAre("2.0.0", "1.0.0"));
}

TEST(RouteTableTest, MethodsAreCheckedOnlyWithDescriptors) {
  const auto table = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.0' state: ACTIVE methods { "
      "grpc_service: 'helloworld.Greeter' methods: 'SayHello' } }",
      "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
      "consumer { name: 'billing' }",
      "pin { consumer: 'billing' service: 'greeter' method: '/helloworld.Greeter/Gone' "
      "expression: '1.0.0' }",
  });
  const std::string gone = "/helloworld.Greeter/Gone";
  EXPECT_EQ(Outcome(ResolveCall(*table, {.header = "1.0.0"})), "1.0.0 by api-version (1.0.0)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = gone, .header = "1.0.0"})),
            "METHOD_NOT_IN_VERSION");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = "/helloworld.Greeter/Never", .header = "1.0.0"})),
            "METHOD_NOT_IN_VERSION");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = gone, .header = "2.0.0"})),
            "2.0.0 by api-version (2.0.0)");
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = gone, .consumer = "billing"})),
            "METHOD_NOT_IN_VERSION");

  // The service as a whole, for reflection.
  HeaderResolutions headers;
  CallQuery query;
  query.method = {"/helloworld.Greeter/", "helloworld.Greeter", ""};
  query.version_header = "1.0.0";
  EXPECT_EQ(Outcome(table->Resolve(query, headers)), "1.0.0 by api-version (1.0.0)");
}

TEST(RouteTableTest, Identities) {
  const std::string key(64, 'a');
  const auto table = TableOf({
      "consumer { name: 'billing' identities { spiffe_uri: 'spiffe://x/billing' } "
      "identities { dns_san: 'Billing.example.com' } "
      "identities { jwt { issuer: 'https://issuer' subject: 'b' } } "
      "identities { api_key_sha256: '" +
          std::string(64, 'A') + "' } }",
      "consumer { name: 'shipping' identities { trusted_header: 'ship' } "
      "identities { trusted_header: 'ship-2' } }",
      "pin { consumer: 'unregistered' service: 'greeter' expression: '^1' }",
  });
  const auto name = [](const std::optional<Consumer>& c) {
    return c ? std::string(c->name) : std::string("-");
  };
  const auto owner = [&](IdentityKind kind, absl::string_view value) {
    return name(table->FindConsumer(kind, value));
  };
  EXPECT_EQ(owner(IdentityKind::kSpiffe, "spiffe://x/billing"), "billing");
  EXPECT_EQ(owner(IdentityKind::kSpiffe, "spiffe://x/Billing"), "-");
  EXPECT_EQ(owner(IdentityKind::kDnsSan, "billing.example.com"), "billing");
  EXPECT_EQ(owner(IdentityKind::kJwt, JwtIdentity("https://issuer", "b")), "billing");
  EXPECT_EQ(owner(IdentityKind::kJwt, JwtIdentity("https://issuer", "")), "-");
  EXPECT_EQ(owner(IdentityKind::kApiKey, key), "billing");
  EXPECT_EQ(name(table->FindConsumerByHeader("spiffe://x/billing")), "-");
  // A consumer's name is its identity by header unless it has identities of that kind.
  EXPECT_EQ(name(table->FindConsumerByHeader("billing")), "billing");
  EXPECT_EQ(name(table->FindConsumerByHeader("shipping")), "-");
  EXPECT_EQ(name(table->FindConsumerByHeader("ship")), "shipping");
  EXPECT_EQ(name(table->FindConsumerByHeader("ship-2")), "shipping");
  // Pins alone make no consumer.
  EXPECT_EQ(name(table->FindConsumerByHeader("unregistered")), "-");
  EXPECT_EQ(name(table->FindConsumerByHeader("")), "-");
  EXPECT_EQ(table->consumer_count(), 2u);
}

TEST(RouteTableTest, DrainOfThePinThatDecides) {
  const auto table = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.0' }",
      "consumer { name: 'billing' }",
      "pin { consumer: 'billing' service: 'greeter' expression: '^1' drain { seconds: 600 } }",
      "pin { consumer: 'billing' service: 'greeter' method: '/helloworld.Greeter/Other' "
      "expression: '^1' }",
      "pin { consumer: 'billing' service: 'greeter' method: '/helloworld.Greeter/Soon' "
      "expression: '^1' drain { nanos: 1 } }",
  });
  const std::optional<Consumer> billing = table->FindConsumerByHeader("billing");
  const auto drain = [&](absl::string_view path, const Consumer* consumer) {
    CallQuery query;
    query.method = *ParseMethodPath(path);
    query.consumer = consumer;
    return table->Drain(query);
  };
  EXPECT_EQ(drain("/helloworld.Greeter/SayHello", &*billing), absl::Minutes(10));
  EXPECT_EQ(drain("/helloworld.Greeter/Other", &*billing), std::nullopt);
  EXPECT_EQ(drain("/helloworld.Greeter/Soon", &*billing), absl::Seconds(1));
  EXPECT_EQ(drain("/helloworld.Greeter/SayHello", nullptr), std::nullopt);
}

TEST(RouteTableTest, HeaderResolutionsAreBoundedAndPerTable) {
  const auto table = PrecedenceTable();
  HeaderResolutions headers(10);
  const auto resolve = [&](const RouteTable& in, const std::string& value) {
    CallQuery query;
    query.method = *ParseMethodPath("/helloworld.Greeter/SayHello");
    query.version_header = value;
    return Outcome(in.Resolve(query, headers));
  };
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(resolve(*table, absl::StrCat(i, ".9.9")), "VERSION_NOT_FOUND");
      EXPECT_EQ(resolve(*table, "~1.0"), "1.0.0 by api-version (~1.0)");
      EXPECT_LE(headers.size(), 10u);
    }
  }
  EXPECT_EQ(resolve(*table, std::string(100000, '1')), "PIN_MALFORMED");
  const auto other = TableOf({
      "service { name: 'greeter' scheme: SEMVER grpc_services: 'helloworld.Greeter' }",
      "version { service: 'greeter' name: '1.0.7' state: ACTIVE }",
  });
  EXPECT_EQ(resolve(*other, "~1.0"), "1.0.7 by api-version (~1.0)");
  EXPECT_EQ(headers.size(), 1u);
  // What pins use is in the table and needs no remembering.
  EXPECT_EQ(resolve(*table, "^1"), "1.1.0 by api-version (^1)");
  EXPECT_EQ(headers.size(), 1u);
}

}  // namespace
}  // namespace pinion::route
