// What the registry commits, gateways take. A gateway refuses what it is told as a whole, so one
// record that it cannot route by would freeze all of them.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "gateway/watch/routing_state.h"
#include "registry/model/lifecycle.h"
#include "registry/model/projection.h"
#include "registry/model/validate.h"
#include "tests/testing/registry_fixture.h"

namespace pinion::service {
namespace {

using Records = std::map<std::string, std::string>;

// The set of a version that serves acme.Book, with these methods.
std::string BookWith(const std::vector<std::string>& methods,
                     const std::string& grpc_service = "Book",
                     const std::string& package = "acme") {
  google::protobuf::FileDescriptorSet set;
  auto& file = *set.add_file();
  file.set_name("book.proto");
  file.set_package(package);
  file.add_message_type()->set_name("M");
  auto& service = *file.add_service();
  service.set_name(grpc_service);
  for (const std::string& name : methods) {
    auto& method = *service.add_method();
    method.set_name(name);
    method.set_input_type("." + package + ".M");
    method.set_output_type("." + package + ".M");
  }
  return set.SerializeAsString();
}

class AgreementTest : public RegistryFixture {
 protected:
  // What a gateway is told of.
  Records RoutingRecords() {
    Records records;
    for (const std::string& prefix : model::SnapshotPrefixes()) {
      const auto range = store_.Range({.range = store::KeyRange::Prefix(prefix)});
      for (const store::KeyValue& kv : range->kvs) records[kv.key] = kv.value;
    }
    return records;
  }

  // A gateway that starts with these.
  absl::Status Start(const Records& records, watch::RoutingState& gateway) {
    v1::WatchResponse message;
    message.set_registry_id("r");
    v1::SnapshotChunk& chunk = *message.mutable_snapshot();
    chunk.set_first(true);
    chunk.set_last(true);
    chunk.set_revision(1);
    for (const std::string& prefix : model::SnapshotPrefixes()) {
      for (auto it = records.lower_bound(prefix); it != records.end(); ++it) {
        if (it->first.compare(0, prefix.size(), prefix) != 0) break;
        std::vector<routing::v1::Resource> resources;
        RETURN_IF_ERROR(model::AppendResources(it->first, it->second, resources));
        for (auto& resource : resources) *chunk.add_resources() = std::move(resource);
      }
    }
    gateway.BeginStream();
    RETURN_IF_ERROR(gateway.Receive(message));
    return gateway.TakeTable().status();
  }

  // One that was there before, and hears of the change.
  absl::Status Follow(const Records& before, const Records& after, watch::RoutingState& gateway) {
    std::vector<routing::v1::Change> changes;
    const auto value = [](const Records& records, const std::string& key) {
      const auto it = records.find(key);
      return it == records.end() ? std::nullopt : std::optional<absl::string_view>(it->second);
    };
    Records keys = before;
    keys.insert(after.begin(), after.end());
    for (const auto& [key, unused] : keys) {
      RETURN_IF_ERROR(model::AppendChanges(key, value(before, key), value(after, key), changes));
    }
    if (changes.empty()) return absl::OkStatus();
    v1::WatchResponse message;
    message.set_registry_id("r");
    v1::RevisionChanges& revision = *message.mutable_changes()->add_revisions();
    revision.set_revision(2);
    for (auto& change : changes) *revision.add_changes() = std::move(change);
    RETURN_IF_ERROR(gateway.Receive(message));
    return gateway.TakeTable().status();
  }

  // Asks the registry for something; whatever it makes of it, gateways go along.
  void Expect(absl::string_view what, const std::function<absl::Status()>& change, bool accepted) {
    SCOPED_TRACE(what);
    const Records before = RoutingRecords();
    watch::RoutingState follower("follower");
    ASSERT_TRUE(Start(before, follower).ok());
    const absl::Status status = change();
    EXPECT_EQ(status.ok(), accepted) << status;
    EXPECT_EQ(model::ReasonOf(status).empty(), status.ok()) << status;
    const Records after = RoutingRecords();
    watch::RoutingState starter("starter");
    const absl::Status started = Start(after, starter);
    ASSERT_TRUE(started.ok()) << "frozen: " << started;
    const absl::Status followed = Follow(before, after, follower);
    ASSERT_TRUE(followed.ok()) << "frozen: " << followed;
  }

  struct Row {
    std::string what;
    std::function<absl::Status()> change;
    bool accepted;
  };
  void ExpectAll(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      Expect(row.what, row.change, row.accepted);
      if (HasFatalFailure()) return;
    }
  }

  // An operation on a request in text form.
  template <typename Operation>
  Row Ask(Operation operation, const std::string& request, bool accepted) {
    return {request, [=, this] { return Call(operation, request).status(); }, accepted};
  }
  Row PublishBook(const std::string& version, const std::string& set, bool accepted) {
    return {version, [=, this] { return Publish("book", version, set).status(); }, accepted};
  }
};

TEST_F(AgreementTest, Services) {
  ASSERT_TRUE(Publish("dated", "2026-01-01").ok());
  ASSERT_TRUE(Publish("book", "1.0.0", BookWith({"Get"})).ok());
  ExpectAll({
      Ask(CreateService, "service { name: 'new' scheme: DATE version_from_package: true }", false),
      Ask(UpdateService, "name: 'dated' version_from_package: true", false),
      Ask(UpdateService, "name: 'dated' version_from_package: false", true),
      Ask(UpdateService, "name: 'book' version_from_package: true", true),
      Ask(CreateService, "service { name: 'new' scheme: SEMVER load_balancing: 99 }", false),
      Ask(UpdateService, "name: 'book' load_balancing: 99", false),
      Ask(UpdateService, "name: 'book' load_balancing: ROUND_ROBIN", true),
      Ask(UpdateService, "name: 'book' unpinned { channel: '@stable' }", false),
      Ask(UpdateService, "name: 'book' unpinned { pin_on_first_call { channel: 'A' } }", false),
      Ask(UpdateService, "name: 'book' unpinned { channel: 'nowhere' }", true),
      Ask(UpdateService, "name: 'book' retry_policy { max_attempts: 1 }", false),
      Ask(UpdateService, "name: 'book' retry_policy { max_attempts: 5 backoff_multiplier: inf }",
          true),
      Ask(CreateService, "service { name: 'new' scheme: SEMVER grpc_services: 'a.B' }", false),
  });
}

TEST_F(AgreementTest, VersionsAndTheirMethods) {
  ExpectAll({
      PublishBook("1.0.0", BookWith({"A/B"}), false),
      PublishBook("1.0.0", BookWith({""}), false),
      PublishBook("1.0.0", BookWith({" "}), false),
      PublishBook("1.0.0", BookWith({"m\xc3\xb6"}), false),
      PublishBook("1.0.0", BookWith({std::string(1100, 'm')}), false),
      PublishBook("1.0.0", BookWith({"Get"}, "A/B"), false),
      PublishBook("1.0.0", BookWith({"Get"}, "A B"), false),
      PublishBook("1.0.0", BookWith({"Get"}, std::string(1100, 's')), false),
      PublishBook("1.0.0", BookWith({"Get"}, "Book", "ac me"), false),
      PublishBook("1.0.0", BookWith({"Get"}, "Book", "acme..v1"), false),
      PublishBook("1.0.0", BookWith({"Get", std::string(500, 'm')}), true),
      PublishBook("1.0.0-" + std::string(59, 'a'), "", false),
      PublishBook("1.0.0-" + std::string(58, 'a'), "", true),
  });
}

TEST_F(AgreementTest, TheEndOfAVersion) {
  SetUpAddressBook();
  const std::string deprecate = "service: 'addressbook' name: '1.0.0' ";
  const std::string longest = "https://" + std::string(model::kMaxLinkBytes - 8, 'a');
  Expect(
      "deprecate", [&] { return Call(DeprecateVersion, deprecate).status(); }, true);
  // A replica whose clock is behind.
  const int64_t deprecated = absl::ToUnixSeconds(clock_.Wall());
  clock_.JumpWall(-absl::Hours(1));
  const auto sunset = [&](int64_t seconds) {
    return absl::StrCat(deprecate, "sunset_time { seconds: ", seconds, " }");
  };
  ExpectAll({
      Ask(DeprecateVersion, sunset(deprecated - 1), false),
      Ask(DeprecateVersion, sunset(deprecated), true),
      Ask(DeprecateVersion, deprecate + "link: 'https://a b'", false),
      Ask(DeprecateVersion, deprecate + "link: 'https://a\\\\b`c'", true),
      Ask(DeprecateVersion, deprecate + "link: '" + longest + "a'", false),
      Ask(DeprecateVersion, deprecate + "link: '" + longest + "'", true),
      Ask(ReactivateVersion, deprecate, true),
  });
}

TEST_F(AgreementTest, ConsumersAndTheirIdentities) {
  const std::string long_name(120, 'a');
  const auto consumer = [](const std::string& name, const std::string& identity) {
    return "consumer { name: '" + name + "' identities { " + identity + " } }";
  };
  ExpectAll({
      Ask(CreateConsumer, "consumer { name: '" + long_name + long_name + "' }", false),
      Ask(CreateConsumer, "consumer { name: 'a' default_channel: '@stable' }", false),
      Ask(CreateConsumer, consumer("nul", "jwt { issuer: 'i' subject: 's\\000' }"), false),
      Ask(CreateConsumer, consumer("nul", "jwt { issuer: 'i\\000' subject: 's' }"), false),
      Ask(CreateConsumer, consumer("nul", "trusted_header: 'a\\000'"), false),
      Ask(CreateConsumer, consumer("nul", "dns_san: 'a\\000.b'"), false),
      Ask(CreateConsumer, consumer("nul", "spiffe_uri: 'spiffe://a\\000'"), false),
      Ask(CreateConsumer, consumer("a", "jwt { issuer: 'i' subject: 'J\\303\\266 |O' }"), true),
      Ask(CreateConsumer, consumer("b", "dns_san: 'B.example'"), true),
      Ask(CreateConsumer, consumer("c", "dns_san: 'b.EXAMPLE'"), false),
      Ask(CreateConsumer, consumer("c", "trusted_header: 'a'"), false),
      Ask(CreateConsumer, consumer("c", "trusted_header: 'd'"), true),
      Ask(CreateConsumer, "consumer { name: 'd' }", false),
      Ask(UpdateConsumer, "consumer { name: 'c' }", true),
      Ask(CreateConsumer, "consumer { name: 'd' }", true),
      Ask(UpdateConsumer, consumer("d", "dns_san: 'd.example' } identities { dns_san: 'D.example'"),
          true),
      Ask(CreateConsumer, consumer("e", "spiffe_uri: 'spiffe://" + std::string(2048, 'e') + "'"),
          false),
      Ask(CreateConsumer, consumer("e", "spiffe_uri: 'spiffe://" + std::string(2030, 'e') + "'"),
          true),
  });
}

TEST_F(AgreementTest, PinsAndEntitlements) {
  SetUpAddressBook();
  // In 4 bytes each, of which the canonical form makes 6.
  const auto majors = [](int count) {
    std::string text = "^1";
    for (int i = 1; i < count; ++i) text += "||^1";
    return text;
  };
  const std::string of_billing = "consumer: 'billing' service: 'addressbook' ";
  const auto pin = [&](const std::string& rest) { return "pin { " + of_billing + rest + " }"; };
  const auto entitle = [&](const std::string& expression) {
    return "entitlement { " + of_billing + "expression: '" + expression + "' }";
  };
  const std::string method(480, 'm');
  ExpectAll({
      Ask(SetPin, pin("expression: '" + majors(60) + "'"), false),
      Ask(SetPin, pin("expression: '" + majors(43) + "'"), true),
      Ask(SetPin, pin("expression: ' 1.0.0 '"), true),
      Ask(SetPin, pin("expression: '>1 <1'"), false),
      Ask(SetPin, pin("expression: '@stable' drain { seconds: 86401 }"), false),
      Ask(SetPin, pin("expression: '@stable' drain { nanos: -1 }"), false),
      Ask(SetPin, pin("expression: '@stable' drain { seconds: 86400 }"), true),
      Ask(SetPin, pin("expression: '^1' method: '/acme.AddressBook/a b'"), false),
      Ask(SetPin, pin("expression: '^1' method: '/acme.AddressBook/" + method + "'"), false),
      {"without a schema", [&] { return Publish("addressbook", "1.1.0").status(); }, true},
      Ask(SetPin, pin("expression: '^1' method: '/acme.AddressBook/" + method + "'"), true),
      Ask(UnsetPin, of_billing + "method: '/acme.AddressBook/" + method + "'", true),
      Ask(SetEntitlement, entitle(majors(60)), false),
      Ask(SetEntitlement, entitle(" " + majors(40)), true),
      Ask(SetEntitlement, entitle("@stable"), false),
      Ask(SetEntitlement, entitle("*"), true),
  });
}

TEST_F(AgreementTest, ChannelsAndInstances) {
  SetUpAddressBook();
  ASSERT_TRUE(Publish("addressbook", "1.1.0", DescriptorSetOf({"acme.AddressBook"})).ok());
  ASSERT_TRUE(Register("addressbook", "1.1.0", 9002).ok());
  const std::string stable = "service: 'addressbook' name: 'stable' ";
  const auto channel = [](const std::string& name) {
    return "channel { service: 'addressbook' version: '1.0.0' name: '" + name + "' }";
  };
  const auto instance = [](const std::string& rest) {
    return "instance { service: 'addressbook' version: '1.1.0' " + rest + " }";
  };
  const auto pipe = [&](size_t bytes) {
    return instance("address { pipe { path: '/" + std::string(bytes - 1, 'p') + "' } }");
  };
  const std::string host = "address { socket_address { port_value: 65535 address: ";
  ExpectAll({
      Ask(SetChannel, channel(std::string(65, 'c')), false),
      Ask(SetChannel, channel(std::string(64, 'c')), true),
      Ask(SetChannel, channel("Stable"), false),
      Ask(SetChannel, channel(""), false),
      Ask(RampChannel, stable + "ramp { version: '1.1.0' percent: 0 }", false),
      Ask(RampChannel, stable + "ramp { version: '1.1.0' percent: 100 }", false),
      Ask(RampChannel, stable + "ramp { version: '1.1.0' percent: 99 }", true),
      Ask(RampChannel, stable, true),
      Ask(RegisterInstance, pipe(108), false),
      Ask(RegisterInstance, pipe(107), true),
      Ask(RegisterInstance, instance("address { pipe { path: '/a\\000b' } }"), false),
      Ask(RegisterInstance, instance(host + "'::1' } } weight: 1000000 zone: '\\303\\266'"), true),
      Ask(RegisterInstance, instance(host + "'fe80::1%eth0' } }"), false),
      Ask(RegisterInstance, instance(host + "'10.0.0' } }"), false),
      Ask(RegisterInstance, instance(host + "'a.example.' } } tls_name: 'a.example'"), true),
  });
}

TEST_F(AgreementTest, AsManyMethodsAsAServiceMayHave) {
  const auto methods = [](const std::string& prefix, size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) names.push_back(absl::StrCat(prefix, i));
    return BookWith(names);
  };
  constexpr size_t kHalf = model::kMaxMethods / 2;
  ExpectAll({
      PublishBook("1.0.0", methods("A", kHalf), true),
      PublishBook("2.0.0", methods("B", kHalf), true),
      PublishBook("3.0.0", methods("B", kHalf + 1), false),
      // Those that are known are no more.
      PublishBook("3.0.0", methods("A", kHalf), true),
  });
}

}  // namespace
}  // namespace pinion::service
