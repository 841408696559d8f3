#include "registry/model/projection.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "pinion/registry/v1/records.pb.h"
#include "registry/model/keys.h"

namespace pinion::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Short(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.PrintToString(message, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::vector<std::string> Changes(const std::string& key, const std::string* before,
                                 const std::string* after) {
  std::vector<routing::v1::Change> changes;
  const auto view = [](const std::string* s) {
    return s == nullptr ? std::nullopt : std::optional<absl::string_view>(*s);
  };
  EXPECT_TRUE(AppendChanges(key, view(before), view(after), changes).ok());
  std::vector<std::string> texts;
  for (const auto& change : changes) texts.push_back(Short(change));
  return texts;
}

TEST(Projection, APinAsGatewaysSeeIt) {
  registry::v1::Pin pin;
  pin.mutable_pin()->set_consumer("billing");
  pin.mutable_pin()->set_service("db");
  pin.mutable_pin()->set_expression("^1");
  pin.mutable_meta()->set_owner("ann");
  const std::string one = pin.SerializeAsString();
  pin.mutable_pin()->set_expression("^2");
  const std::string two = pin.SerializeAsString();
  pin.mutable_meta()->set_owner("bob");
  const std::string two_again = pin.SerializeAsString();
  const std::string key = PinKey("billing", "db", "");
  EXPECT_THAT(Changes(key, nullptr, &one),
              ElementsAre(R"(put { pin { consumer: "billing" service: "db" expression: "^1" } })"));
  EXPECT_THAT(Changes(key, &one, &two),
              ElementsAre(R"(put { pin { consumer: "billing" service: "db" expression: "^2" } })"));
  EXPECT_THAT(Changes(key, &two, &two_again), IsEmpty()) << "owners do not concern gateways";
  EXPECT_THAT(Changes(key, &two, nullptr),
              ElementsAre(R"(deleted { pin { consumer: "billing" service: "db" } })"));
}

TEST(Projection, RampsAndEntitlementsAsGatewaysSeeThem) {
  registry::v1::Channel channel;
  channel.mutable_channel()->set_service("db");
  channel.mutable_channel()->set_name("stable");
  channel.mutable_channel()->set_version("1.0.0");
  const std::string plain = channel.SerializeAsString();
  channel.mutable_channel()->mutable_ramp()->set_version("2.0.0");
  channel.mutable_channel()->mutable_ramp()->set_percent(10);
  const std::string ramped = channel.SerializeAsString();
  channel.add_left()->set_version("0.9.0");
  const std::string ramped_again = channel.SerializeAsString();
  const std::string key = ChannelKey("db", "stable");
  EXPECT_THAT(Changes(key, &plain, &ramped),
              ElementsAre(R"(put { channel { service: "db" name: "stable" version: "1.0.0" )"
                          R"(ramp { version: "2.0.0" percent: 10 } } })"));
  EXPECT_THAT(Changes(key, &ramped, &ramped_again), IsEmpty());

  registry::v1::Entitlement entitlement;
  entitlement.mutable_entitlement()->set_consumer("billing");
  entitlement.mutable_entitlement()->set_service("db");
  entitlement.mutable_entitlement()->set_expression("^1");
  const std::string one = entitlement.SerializeAsString();
  const std::string of_billing = EntitlementKey("billing", "db");
  EXPECT_THAT(
      Changes(of_billing, nullptr, &one),
      ElementsAre(R"(put { entitlement { consumer: "billing" service: "db" expression: "^1" } })"));
  EXPECT_THAT(Changes(of_billing, &one, nullptr),
              ElementsAre(R"(deleted { entitlement { consumer: "billing" service: "db" } })"));
}

TEST(Projection, AnInstanceThatIsHeldBackDoesNotExistForGateways) {
  registry::v1::Instance instance;
  instance.mutable_instance()->set_service("db");
  instance.mutable_instance()->set_version("1.0.0");
  instance.mutable_instance()->set_uid("u");
  const std::string in = instance.SerializeAsString();
  instance.mutable_check()->set_verdict(registry::v1::InstanceCheck::READY);
  const std::string ready = instance.SerializeAsString();
  instance.mutable_check()->set_held_back(true);
  const std::string out = instance.SerializeAsString();
  const std::string key = InstanceKey("db", "1.0.0", "u");
  EXPECT_THAT(Changes(key, nullptr, &out), IsEmpty());
  EXPECT_THAT(Changes(key, &in, &ready), IsEmpty()) << "verdicts do not concern gateways";
  EXPECT_THAT(Changes(key, &ready, &out), ElementsAre(R"(deleted { instance { uid: "u" } })"));
  EXPECT_THAT(Changes(key, &out, &ready),
              ElementsAre(R"(put { instance { service: "db" version: "1.0.0" uid: "u" } })"));
  EXPECT_THAT(Changes(key, &out, nullptr), IsEmpty());
  std::vector<routing::v1::Resource> resources;
  EXPECT_TRUE(AppendResources(key, out, resources).ok());
  EXPECT_THAT(resources, IsEmpty());
}

TEST(Projection, OneRecordOfResolutionsIsManyResources) {
  const auto make = [](std::vector<std::pair<std::string, std::string>> entries) {
    registry::v1::Resolutions resolutions;
    for (const auto& [expression, version] : entries) {
      auto* entry = resolutions.add_entries();
      entry->set_expression(expression);
      entry->set_version(version);
    }
    return resolutions.SerializeAsString();
  };
  const std::string before = make({{"^1", "1.0.0"}, {"^2", ""}, {"~1.0", "1.0.0"}});
  const std::string after = make({{"^1", "1.1.0"}, {"^2", ""}, {"^3", "3.0.0"}});
  EXPECT_THAT(
      Changes(ResolutionsKey("db"), &before, &after),
      ElementsAre(R"(deleted { resolution { service: "db" expression: "~1.0" } })",
                  R"(put { resolution { service: "db" expression: "^1" version: "1.1.0" } })",
                  R"(put { resolution { service: "db" expression: "^3" version: "3.0.0" } })"));
}

TEST(Projection, EverythingUnderRoutingHasAPlaceInTheSnapshot) {
  for (const std::string& key : {ServiceKey("s"), VersionKey("s", "1"), ChannelKey("s", "c"),
                                 ResolutionsKey("s"), InstanceKey("s", "1", "u"), ConsumerKey("c"),
                                 PinKey("c", "s", ""), EntitlementKey("c", "s")}) {
    int places = 0;
    for (const std::string& prefix : SnapshotPrefixes())
      places += key.rfind(prefix, 0) == 0 ? 1 : 0;
    EXPECT_EQ(places, 1) << key;
    EXPECT_EQ(key.rfind(kRoutingPrefix, 0), 0u) << key;
  }
}

TEST(Projection, WhatNoRegistryWritesIsDamaged) {
  registry::v1::Pin pin;
  pin.mutable_pin()->set_consumer("billing");
  pin.mutable_pin()->set_service("db");
  registry::v1::Pin other = pin;
  other.mutable_pin()->set_consumer("shipping");
  std::vector<routing::v1::Resource> resources;
  const std::string key = PinKey("billing", "db", "");
  EXPECT_TRUE(AppendResources(key, pin.SerializeAsString(), resources).ok());
  for (const std::string& key :
       {ServiceKey("s"), VersionKey("s", "1"), ChannelKey("s", "c"), InstanceKey("s", "1", "u"),
        ConsumerKey("c"), PinKey("c", "s", ""), EntitlementKey("c", "s")}) {
    for (const std::string& value : {std::string("\xff"), std::string()}) {
      const absl::Status status = AppendResources(key, value, resources);
      EXPECT_TRUE(absl::IsDataLoss(status)) << key;
      EXPECT_THAT(std::string(status.message()), HasSubstr(key));
    }
  }
  EXPECT_TRUE(absl::IsDataLoss(AppendResources(ResolutionsKey("s"), "\xff", resources)));
  EXPECT_TRUE(absl::IsDataLoss(AppendResources(key, other.SerializeAsString(), resources)))
      << "another's record";
  EXPECT_TRUE(absl::IsDataLoss(AppendResources("routing/strange!x", "", resources)));
  EXPECT_EQ(resources.size(), 1u);
  std::vector<routing::v1::Change> changes;
  EXPECT_TRUE(absl::IsDataLoss(AppendChanges(key, "\xff", pin.SerializeAsString(), changes)));
  EXPECT_TRUE(absl::IsDataLoss(AppendChanges(key, pin.SerializeAsString(), "\xff", changes)));
  EXPECT_THAT(changes, IsEmpty());
}

}  // namespace
}  // namespace pinion::model
