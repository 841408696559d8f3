// RouteTable::Explain: each step in a sentence, and the same result as Resolve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/route/testing_table.h"

namespace pinion::route {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::shared_ptr<const RouteTable> Table() {
  return TableOf({
      "service { name: 'book' scheme: SEMVER grpc_services: 'acme.Book' }",
      "version { service: 'book' name: '1.4.0' methods { grpc_service: 'acme.Book' "
      "methods: 'Get' } }",
      "instance { service: 'book' version: '1.4.0' uid: 'a' address { socket_address { "
      "address: '127.0.0.1' port_value: 1 } } }",
      "consumer { name: 'billing' default_channel: 'beta' }",
      "pin { consumer: 'billing' service: 'book' expression: '^1' }",
  });
}

std::vector<std::string> Explain(const RouteTable& table, const TestCall& call) {
  CallQuery query;
  query.method = ParseMethodPath(call.path).value();
  const std::optional<Consumer> consumer = table.FindConsumerByHeader(call.consumer);
  if (consumer) query.consumer = &*consumer;
  if (call.header) query.version_header = *call.header;
  return table.Explain(query);
}

TEST(ExplainTest, ARoute) {
  EXPECT_THAT(
      Explain(*Table(), {.path = "/acme.Book/Get", .consumer = "billing"}),
      ElementsAre("call: /acme.Book/Get", "consumer: billing", "service: book",
                  "`api-version` metadata: none", "pin for the method: none",
                  "pin for the service: ^1", "^1 means version 1.4.0, active, with 1 instance(s)",
                  "method: in this version", "result: book 1.4.0, asked for as ^1 by service-pin"));
}

TEST(ExplainTest, ARefusal) {
  EXPECT_THAT(Explain(*Table(), {.path = "/acme.Book/Get"}),
              ElementsAre("call: /acme.Book/Get", "consumer: none (unregistered)", "service: book",
                          "`api-version` metadata: none", "pin for the method: none",
                          "pin for the service: none", "default channel of the consumer: none",
                          "version from the package: not for this service",
                          "policy for callers without a pin: @stable",
                          StartsWith("result: refused with VERSION_NOT_FOUND (UNIMPLEMENTED): ")));
  EXPECT_THAT(Explain(*Table(), {.path = "/acme.None/Get"}).back(), HasSubstr("SERVICE_UNKNOWN"));
}

}  // namespace
}  // namespace pinion::route
