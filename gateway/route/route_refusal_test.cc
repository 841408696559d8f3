// Each refusal that routing itself makes: reason, message, and metadata.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "gateway/limits.h"
#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const RouteTable> Table() {
  return TableOf({
      "service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }",
      "service { name: 'strict' scheme: SEMVER grpc_services: 'acme.Strict' "
      "unpinned { reject {} } }",
      "version { service: 'book' name: '0.9.0' state: RETIRED deprecation { successor: '1.0.0' } }",
      "version { service: 'book' name: '0.9.1' state: RETIRED }",
      "version { service: 'book' name: '0.9.9' state: SUNSET deprecation { successor: '2.0.0' } }",
      "version { service: 'book' name: '1.0.0' state: DEPRECATED methods { "
      "grpc_service: 'acme.Book' methods: ['Get', 'Old'] } }",
      "version { service: 'book' name: '2.0.0' state: ACTIVE methods { "
      "grpc_service: 'acme.Book' methods: ['Get', 'New'] } }",
      "version { service: 'book' name: '3.0.0' state: PUBLISHED }",
      "channel { service: 'book' name: 'old' version: '1.0.0' }",
      "channel { service: 'book' name: 'lost' version: '7.7.7' }",
      "consumer { name: 'billing' }",
      "consumer { name: 'bad' }",
      "pin { consumer: 'billing' service: 'book' expression: '0.9.0' }",
      "pin { consumer: 'billing' service: 'book' method: '/acme.Book/Get' expression: '^5' }",
      "pin { consumer: 'bad' service: 'later' expression: '1' }",
      "service { name: 'later' scheme: SEMVER grpc_services: 'acme.Later' }",
      "consumer { name: 'sunset' }",
      "pin { consumer: 'sunset' service: 'book' expression: '0.9.9' }",
  });
}

struct Case {
  TestCall call;
  Reason reason;
  std::vector<std::string> message;
  std::map<std::string, std::string> metadata;
};

void ExpectRefusal(const RouteTable& table, const Case& c) {
  SCOPED_TRACE(absl::StrCat(c.call.path, " ", c.call.consumer, " ", c.call.header.value_or("-")));
  const Resolved resolved = ResolveCall(table, c.call);
  const Refusal* refusal = std::get_if<Refusal>(&resolved);
  ASSERT_NE(refusal, nullptr) << Outcome(resolved);
  EXPECT_EQ(ReasonName(refusal->reason), ReasonName(c.reason)) << refusal->message;
  EXPECT_EQ(refusal->code, ReasonCode(c.reason));
  for (const std::string& part : c.message) EXPECT_THAT(refusal->message, HasSubstr(part));
  for (const auto& [key, value] : c.metadata) EXPECT_EQ(Meta(*refusal, key), value) << key;
}

TEST(RouteRefusalTest, EachSaysWhatToDoNext) {
  const auto table = Table();
  const Case cases[] = {
      {{.path = "/acme.Nobody/Get"},
       Reason::kServiceUnknown,
       {"`acme.Nobody`", "publish a version"},
       {{"grpc_service", "acme.Nobody"}, {"service", ""}}},
      {{.path = "/acme.Strict/Get", .consumer = "billing"},
       Reason::kPinRequired,
       {"`pinion pin set billing strict EXPRESSION`"},
       {{"service", "strict"}, {"consumer", "billing"}}},
      {{.path = "/acme.Strict/Get"}, Reason::kPinRequired, {"pin set CONSUMER strict"}, {}},
      {{.path = "/acme.Book/Get", .header = "2"},
       Reason::kPinMalformed,
       {"the `api-version` metadata of this call", "`2` is not complete", "write ^2"},
       {{"asked", "2"}, {"source", "api-version"}, {"service", "book"}}},
      {{.path = "/acme.Later/Get", .consumer = "bad"},
       Reason::kPinMalformed,
       {"the pin of consumer `bad`", "write ^1"},
       {{"asked", "1"}, {"source", "service-pin"}, {"consumer", "bad"}}},
      {{.path = "/acme.Book/Get", .header = "1.9.9"},
       Reason::kVersionNotFound,
       {"no version for `1.9.9`", "nearest: 2.0.0, 1.0.0", "send api-version: 2.0.0"},
       {{"asked", "1.9.9"}, {"available", "2.0.0, 1.0.0"}}},
      {{.path = "/acme.Book/Get", .consumer = "billing"},
       Reason::kVersionNotFound,
       {"no version for `^5`", "the pin of consumer `billing` for this method",
        "`pinion pin set billing book '2.0.0'` for this method"},
       {{"asked", "^5"}, {"source", "method-pin"}}},
      {{.path = "/acme.Book/Get", .header = "@beta"},
       Reason::kVersionNotFound,
       {"behind channel `@beta`", "its channels: lost, old"},
       {{"channels", "lost, old"}}},
      {{.path = "/acme.Book/Get", .header = "@lost"}, Reason::kVersionNotFound, {"`@lost`"}, {}},
      {{.path = "/acme.Book/Get"},
       Reason::kVersionNotFound,
       {"`@stable`", "policy for callers without a pin", "have an owner of `book`"},
       {{"source", "unpinned-policy"}}},
      {{.path = "/acme.Later/Get", .header = "^1"},
       Reason::kVersionNotFound,
       {"nearest: none", "start an instance"},
       {}},
  };
  for (const Case& c : cases) ExpectRefusal(*table, c);
}

TEST(RouteRefusalTest, OfVersionsThatAreThereAndCannotBeCalled) {
  const auto table = Table();
  const Case cases[] = {
      {{.path = "/acme.Book/Other", .consumer = "billing"},
       Reason::kVersionRetired,
       {"`book` 0.9.0", "is retired; its successor is 1.0.0; move the pin",
        "`pinion pin set billing book '1.0.0'`"},
       {{"successor", "1.0.0"}, {"version", "0.9.0"}, {"asked", "0.9.0"}}},
      // None named: the newest that may be called.
      {{.path = "/acme.Book/Get", .header = "0.9.1"},
       Reason::kVersionRetired,
       {"its successor is 2.0.0"},
       {{"successor", "2.0.0"}}},
      {{.path = "/acme.Book/Get", .header = "0.9.9"},
       Reason::kVersionNotAllowed,
       {"past its sunset", "its successor is 2.0.0", "api-version: 2.0.0"},
       {{"successor", "2.0.0"}}},
      {{.path = "/acme.Book/Get", .header = "3.0.0"},
       Reason::kNoHealthyInstance,
       {"published, but no instance of it was ever ready for calls",
        "`pinion instance register book 3.0.0 ADDRESS`"},
       {{"version", "3.0.0"}, {"available", "2.0.0, 1.0.0"}}},
      {{.path = "/acme.Book/Old", .header = "2.0.0"},
       Reason::kMethodNotInVersion,
       {"`book` 2.0.0", "no method `/acme.Book/Old`", "these versions have it: 1.0.0"},
       {{"available", "1.0.0"}, {"method", "/acme.Book/Old"}, {"version", "2.0.0"}}},
      {{.path = "/acme.Book/Typo", .header = "2.0.0"},
       Reason::kMethodNotInVersion,
       {"no version of `book`", "check the method's name"},
       {{"available", ""}}},
  };
  for (const Case& c : cases) ExpectRefusal(*table, c);
  // Who is pinned to a version past its sunset may still call it.
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = "/acme.Book/Get", .consumer = "sunset"})),
            "0.9.9 by service-pin (0.9.9)");
}

// 1.0.0 is stable, 1.1.0 after it; both have ended for everyone who does not name them.
TEST(RouteRefusalTest, WhatIsPastItsSunsetIsForPinsOnItsNameOnly) {
  const auto table = TableOf({
      "service { name: 'book' scheme: SEMVER grpc_services: 'acme.v1.Book' }",
      "service { name: 'old' scheme: K8S grpc_services: 'acme.v1.Old' version_from_package: true }",
      "version { service: 'book' name: '1.0.0' state: SUNSET deprecation { successor: '1.1.0' } }",
      "version { service: 'book' name: '1.1.0' state: RETIRED deprecation { successor: '2.0.0' } }",
      "version { service: 'book' name: '2.0.0' state: DEPRECATED }",
      "version { service: 'book' name: '3.0.0' state: ACTIVE }",
      "version { service: 'old' name: 'v1' state: SUNSET }",
      "channel { service: 'book' name: 'stable' version: '1.0.0' }",
      "channel { service: 'old' name: 'stable' version: 'v1' }",
      "consumer { name: 'named' }",
      "pin { consumer: 'named' service: 'book' expression: '1.0.0' }",
      "consumer { name: 'channel' }",
      "pin { consumer: 'channel' service: 'book' expression: '@stable' }",
      "consumer { name: 'default' default_channel: 'stable' }",
      "consumer { name: 'range' }",
      "pin { consumer: 'range' service: 'book' expression: '^1' }",
      "resolution { service: 'book' expression: '^1' version: '' }",
  });
  EXPECT_EQ(Outcome(ResolveCall(*table, {.path = "/acme.v1.Book/Get", .consumer = "named"})),
            "1.0.0 by service-pin (1.0.0)");
  // The named successor has ended too; its own comes next.
  const Case cases[] = {
      {{.path = "/acme.v1.Book/Get"},
       Reason::kVersionNotAllowed,
       {"policy for callers without a pin", "past its sunset: only pins that name it",
        "its successor is 2.0.0", "have an owner of `book` move the channel"},
       {{"successor", "2.0.0"}, {"asked", "@stable"}, {"available", "3.0.0, 2.0.0"}}},
      {{.path = "/acme.v1.Book/Get", .consumer = "channel"},
       Reason::kVersionNotAllowed,
       {"`pinion pin set channel book '2.0.0'`"},
       {{"source", "service-pin"}}},
      {{.path = "/acme.v1.Book/Get", .consumer = "default"},
       Reason::kVersionNotAllowed,
       {"the default channel of consumer `default`"},
       {}},
      {{.path = "/acme.v1.Book/Get", .header = "@stable"}, Reason::kVersionNotAllowed, {}, {}},
      {{.path = "/acme.v1.Old/Get"},
       Reason::kVersionNotAllowed,
       {"the package of `acme.v1.Old`"},
       {{"successor", ""}, {"available", ""}}},
      {{.path = "/acme.v1.Book/Get", .consumer = "range"},
       Reason::kVersionNotFound,
       {"no version for `^1`", "any more: 1.1.0 is retired; its successor is 2.0.0",
        "`pinion pin set range book '2.0.0'`"},
       {{"version", "1.1.0"}, {"successor", "2.0.0"}, {"available", "3.0.0, 2.0.0"}}},
      {{.path = "/acme.v1.Book/Get", .header = "~1.0"},
       Reason::kVersionNotFound,
       {"1.0.0 is past its sunset; its successor is 2.0.0"},
       {{"version", "1.0.0"}}},
      {{.path = "/acme.v1.Book/Get", .header = "^7"},
       Reason::kVersionNotFound,
       {"nearest: 3.0.0, 2.0.0"},
       {{"successor", ""}}},
  };
  for (const Case& c : cases) ExpectRefusal(*table, c);
}

TEST(RouteRefusalTest, SuccessorsInACircleAreNobodys) {
  const auto table = TableOf({
      "service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }",
      "version { service: 'book' name: '1.0.0' state: RETIRED deprecation { successor: '2.0.0' } }",
      "version { service: 'book' name: '2.0.0' state: RETIRED deprecation { successor: '1.0.0' } }",
      "version { service: 'book' name: '3.0.0' state: ACTIVE }",
  });
  ExpectRefusal(*table, {{.path = "/acme.Book/Get", .header = "1.0.0"},
                         Reason::kVersionRetired,
                         {"its successor is 3.0.0"},
                         {{"successor", "3.0.0"}}});
}

TEST(RouteRefusalTest, WhatTheListenerAndTheHeaderSay) {
  const auto table = Table();
  HeaderResolutions headers;
  CallQuery query;
  query.method = *ParseMethodPath("/acme.Book/Get");
  query.consumer_required = true;
  EXPECT_EQ(Outcome(table->Resolve(query, headers)), "CONSUMER_REQUIRED");
  query.method = *ParseMethodPath("/acme.Nobody/Get");
  EXPECT_EQ(Outcome(table->Resolve(query, headers)), "CONSUMER_REQUIRED");

  query = {};
  query.method = *ParseMethodPath("/acme.Book/Get");
  query.version_header = "2.0.0";
  query.version_header_repeated = true;
  query.version_header_name = "x-version";
  const Resolved resolved = table->Resolve(query, headers);
  EXPECT_EQ(Outcome(resolved), "PIN_MALFORMED");
  const auto& refusal = std::get<Refusal>(resolved);
  EXPECT_THAT(refusal.message, HasSubstr("`x-version` metadata was given more than once"));
  EXPECT_EQ(Meta(refusal, "source"), "api-version");
}

TEST(RouteRefusalTest, OfARouteThatCannotBeServed) {
  const auto table = Table();
  const std::optional<Consumer> billing = table->FindConsumerByHeader("billing");
  // The header's resolution may be forgotten before the refusal is made; the call's own header is
  // not.
  const TestCall call = {.path = "/acme.Book/Get", .header = "^2"};
  const Resolved resolved = ResolveCall(*table, call);
  const Refusal refusal = RouteTable::RefuseRoute(std::get<Route>(resolved), &*billing,
                                                  Reason::kNoHealthyInstance, "none healthy");
  EXPECT_EQ(refusal.code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(Meta(refusal, "service"), "book");
  EXPECT_EQ(Meta(refusal, "version"), "2.0.0");
  EXPECT_EQ(Meta(refusal, "consumer"), "billing");
  EXPECT_EQ(Meta(refusal, "asked"), "^2");
  EXPECT_EQ(Meta(refusal, "source"), "api-version");
}

TEST(RouteRefusalTest, ListsTheTenNearest) {
  TableBuilder builder;
  PutAll(builder, {"service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }"});
  for (int i = 0; i < 40; ++i) {
    PutAll(builder, {absl::StrCat("version { service: 'book' name: '1.", i,
                                  ".0' state: ", i % 2 == 0 ? "ACTIVE" : "RETIRED", " }")});
  }
  const auto table = builder.Build();
  const auto available = [&](const std::string& asked) {
    const Resolved resolved = ResolveCall(*table, {.path = "/acme.Book/Get", .header = asked});
    return Meta(std::get<Refusal>(resolved), "available");
  };
  EXPECT_EQ(available("1.20.1"),
            "1.30.0, 1.28.0, 1.26.0, 1.24.0, 1.22.0, 1.20.0, 1.18.0, 1.16.0, 1.14.0, 1.12.0");
  EXPECT_EQ(available("0.0.1"),
            "1.18.0, 1.16.0, 1.14.0, 1.12.0, 1.10.0, 1.8.0, 1.6.0, 1.4.0, 1.2.0, 1.0.0");
  const std::string newest =
      "1.38.0, 1.36.0, 1.34.0, 1.32.0, 1.30.0, 1.28.0, 1.26.0, 1.24.0, 1.22.0, 1.20.0";
  EXPECT_EQ(available("9.0.0"), newest);
  EXPECT_EQ(available("^9"), newest);
}

// The longest names, everything percent-encoded: still within bounds.
TEST(RouteRefusalTest, FitsWithTheLongestNames) {
  TableBuilder builder;
  const std::string service(128, 's');
  const std::string consumer(128, '%');
  PutAll(builder, {"service { name: '" + service + "' scheme: SEMVER grpc_services: 'acme.Book' }",
                   "consumer { name: '" + consumer + "' }",
                   "pin { consumer: '" + consumer + "' service: '" + service +
                       "' expression: '=9.9.9-" + std::string(58, 'z') + "' }"});
  for (int i = 10; i < 30; ++i) {
    PutAll(builder, {absl::StrCat("version { service: '", service, "' name: '1.", i, ".0-",
                                  std::string(50, 'y'), "' state: ACTIVE }")});
  }
  const Resolved resolved = ResolveCall(
      *builder.Build(), {.path = "/acme.Book/" + std::string(1000, 'M'), .consumer = consumer});
  const auto& refusal = std::get<Refusal>(resolved);
  EXPECT_EQ(refusal.reason, Reason::kVersionNotFound);
  size_t message = 0;
  for (const char c : refusal.message) message += c == '%' ? 3 : 1;
  EXPECT_LE(message + absl::Base64Escape(StatusDetails(refusal)).size() + 160,
            limits::kMaxRefusalBytes);
  EXPECT_EQ(Meta(refusal, "service"), service);
}

}  // namespace
}  // namespace pinion::route
