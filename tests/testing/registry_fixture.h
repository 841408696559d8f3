// A registry on a store in memory, with the steps that tests take again and again. For tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/model/resolutions.h"
#include "registry/service/draft.h"
#include "registry/service/operations.h"
#include "registry/service/registry.h"
#include "registry/store/memory_store.h"
#include "tests/testing/fake_clock.h"

namespace pinion::service {

// A descriptor set with gRPC services of these full names, each with the method Get; `field` makes
// schemas differ.
inline std::string DescriptorSetOf(const std::vector<std::string>& grpc_services, int field = 1) {
  google::protobuf::FileDescriptorSet set;
  for (const std::string& full_name : grpc_services) {
    const size_t dot = full_name.rfind('.');
    auto* file = set.add_file();
    file->set_name(full_name + ".proto");
    file->set_package(full_name.substr(0, dot));
    auto* message = file->add_message_type();
    message->set_name(full_name.substr(dot + 1) + "Message");
    message->add_field()->set_name("text");
    message->mutable_field(0)->set_number(field);
    message->mutable_field(0)->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    auto* service = file->add_service();
    service->set_name(full_name.substr(dot + 1));
    auto* method = service->add_method();
    method->set_name("Get");
    method->set_input_type("." + full_name + "Message");
    method->set_output_type("." + full_name + "Message");
  }
  return set.SerializeAsString();
}

class RegistryFixture : public ::testing::Test {
 protected:
  RegistryFixture() : store_(clock_), registry_(*Registry::Open(store_, clock_)) {}

  template <typename Message>
  static Message FromText(const std::string& text) {
    Message message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
    return message;
  }

  // The operation on a request in text form, by "ann".
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(absl::StatusOr<Response> (*operation)(Draft&, const Request&),
                                const std::string& request) {
    return service::Run(*registry_, operation, ann_, FromText<Request>(request));
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(absl::StatusOr<Response> (*operation)(Registry&, const Caller&,
                                                                      const Request&),
                                const std::string& request) {
    return operation(*registry_, ann_, FromText<Request>(request));
  }

  absl::StatusOr<v1::PublishVersionResponse> Publish(const std::string& service,
                                                     const std::string& name,
                                                     const std::string& descriptor_set = "") {
    v1::PublishVersionRequest request;
    request.set_service(service);
    request.set_name(name);
    request.set_descriptor_set(descriptor_set);
    return PublishVersion(*registry_, ann_, request);
  }
  // A permanent one on 127.0.0.1, or one with a lease.
  absl::StatusOr<v1::RegisterInstanceResponse> Register(const std::string& service,
                                                        const std::string& version, int port,
                                                        int lease_seconds = 0) {
    v1::RegisterInstanceRequest request;
    request.mutable_instance()->set_service(service);
    request.mutable_instance()->set_version(version);
    auto* address = request.mutable_instance()->mutable_address()->mutable_socket_address();
    address->set_address("127.0.0.1");
    address->set_port_value(static_cast<uint32_t>(port));
    if (lease_seconds > 0) request.mutable_lease_ttl()->set_seconds(lease_seconds);
    return RegisterInstance(*registry_, ann_, request);
  }
  absl::StatusOr<v1::PinResponse> Pin(const std::string& consumer, const std::string& service,
                                      const std::string& expression) {
    v1::SetPinRequest request;
    request.mutable_pin()->set_consumer(consumer);
    request.mutable_pin()->set_service(service);
    request.mutable_pin()->set_expression(expression);
    return service::Run(*registry_, SetPin, ann_, request);
  }
  // Of `service`, which has a pin: as many expressions as there may be, none of these in use.
  void FillExpressions(const std::string& service) {
    const std::string key = model::ResolutionsKey(service);
    v1::Resolutions full = ExpressionsOf(service);
    for (int i = full.entries_size(); i < model::kMaxExpressions; ++i) {
      model::Intern(full, absl::StrCat(">=1.0.", 10'000 + i), "1.0.0");
    }
    ASSERT_TRUE(store_.Commit({.then = {store::Put{key, full.SerializeAsString()}}}).ok());
  }
  v1::Resolutions ExpressionsOf(const std::string& service) {
    const auto range =
        store_.Range({.range = store::KeyRange::Single(model::ResolutionsKey(service))});
    v1::Resolutions resolutions;
    EXPECT_TRUE(resolutions.ParseFromString(range->kvs.at(0).value));
    return resolutions;
  }
  // Records that stay where they are, and are none any more.
  void Damage(const std::vector<std::string>& keys) {
    store::Txn damage;
    for (const std::string& key : keys) {
      const auto there = store_.Range({.range = store::KeyRange::Single(key)});
      const store::LeaseId lease = there->kvs.empty() ? 0 : there->kvs[0].lease;
      damage.then.push_back(store::Put{key, "\xff\xff", lease});
    }
    ASSERT_TRUE(store_.Commit(std::move(damage)).ok());
  }
  // addressbook 1.0.0 with an instance, and the consumers billing and shipping.
  void SetUpAddressBook() {
    ASSERT_TRUE(Publish("addressbook", "1.0.0", DescriptorSetOf({"acme.AddressBook"})).ok());
    ASSERT_TRUE(Register("addressbook", "1.0.0", 9001).ok());
    ASSERT_TRUE(Call(CreateConsumer, R"(consumer { name: "billing" })").ok());
    ASSERT_TRUE(Call(CreateConsumer, R"(consumer { name: "shipping" })").ok());
  }

  // The code and reason of a refusal, "OK" if there is none.
  static std::string Outcome(const absl::Status& status) {
    return status.ok() ? "OK"
                       : absl::StatusCodeToString(status.code()) + " " + model::ReasonOf(status);
  }
  v1::AuditRecord NewestAudit() { return Call(ListAuditRecords, "page_size: 1")->records(0); }

  testing::FakeClock clock_;
  store::MemoryStore store_;
  std::unique_ptr<Registry> registry_;
  const Caller ann_{"ann"};
};

}  // namespace pinion::service
