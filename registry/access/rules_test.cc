// The table of rules against the services that there are.
#include "registry/access/rules.h"

#include <memory>
#include <set>
#include <string>

#include "google/protobuf/dynamic_message.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/access.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/registry/v1/watch.pb.h"
#include "tests/testing/registry_methods.h"

namespace pinion::access {
namespace {

namespace v1 = registry::v1;

TEST(RulesTest, EveryMethodHasExactlyOneAndNoRuleIsLeftOver) {
  std::set<std::string> ruled;
  for (const Rule& rule : AllRules()) EXPECT_TRUE(ruled.insert(rule.method).second) << rule.method;
  for (const auto* method : testing::AllRegistryMethods()) {
    EXPECT_EQ(ruled.erase(method->full_name()), 1u)
        << method->full_name() << " has no rule, so that nobody can call it: add one to rules.cc";
  }
  EXPECT_TRUE(ruled.empty()) << *ruled.begin() << " is no method of these services";
}

TEST(RulesTest, TheObjectOfEachIsAFieldOfItsRequest) {
  google::protobuf::DynamicMessageFactory factory;
  for (const auto* method : testing::AllRegistryMethods()) {
    const Rule* rule = FindRule(method->full_name());
    ASSERT_NE(rule, nullptr);
    const std::unique_ptr<google::protobuf::Message> request(
        factory.GetPrototype(method->input_type())->New());
    const bool named = rule->about != About::kNothing && rule->about != About::kChange;
    EXPECT_EQ(ObjectName(*rule, *request).has_value(), named) << rule->method;
    EXPECT_EQ(rule->about == About::kChange,
              method->input_type() == v1::StartJobRequest::descriptor())
        << rule->method;
    const bool about_one =
        rule->need == Need::kOwn || rule->need == Need::kCreate || rule->need == Need::kPins;
    EXPECT_EQ(about_one, rule->about != About::kNothing) << rule->method;
  }
}

TEST(RulesTest, NamesAreReadThroughMessages) {
  v1::SetPinRequest request;
  EXPECT_EQ(ObjectName(*FindRule("pinion.registry.v1.Registry.SetPin"), request), "");
  request.mutable_pin()->set_consumer("billing");
  EXPECT_EQ(ObjectName(*FindRule("pinion.registry.v1.Registry.SetPin"), request), "billing");
  v1::CancelJobRequest cancel;
  cancel.set_id(7);
  EXPECT_EQ(ObjectName(*FindRule("pinion.registry.v1.Registry.CancelJob"), cancel), "7");
  EXPECT_EQ(ObjectName({"x", Need::kOwn, About::kService, "no.such"}, request), std::nullopt);
  EXPECT_EQ(ObjectName({"x", Need::kOwn, About::kService, "pin"}, request), std::nullopt);
  v1::CreateServiceRequest create;
  create.set_owner("payments");
  EXPECT_EQ(TextField(create, "owner"), "payments");
  EXPECT_EQ(TextField(cancel, "owner"), "");
}

TEST(RulesTest, WhatIsNotInTheTableHasNoRule) {
  EXPECT_EQ(FindRule("pinion.registry.v1.Registry.NoSuch"), nullptr);
  EXPECT_EQ(FindRule(""), nullptr);
}

}  // namespace
}  // namespace pinion::access
