#include "tests/bench/fill_registry.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.pb.h"
#include "registry/service/operations.h"

namespace pinion::service {

std::string EchoSchema(const std::string& package) {
  google::protobuf::FileDescriptorSet set;
  google::protobuf::FileDescriptorProto& file = *set.add_file();
  file.set_name("echo.proto");
  file.set_package(package);
  file.set_syntax("proto3");
  file.add_message_type()->set_name("Message");
  google::protobuf::ServiceDescriptorProto& service = *file.add_service();
  service.set_name("Echo");
  google::protobuf::MethodDescriptorProto& method = *service.add_method();
  method.set_name("Call");
  method.set_input_type(absl::StrCat(".", package, ".Message"));
  method.set_output_type(absl::StrCat(".", package, ".Message"));
  return set.SerializeAsString();
}

absl::Status RegisterLocal(Registry& registry, const Caller& caller, const std::string& service,
                           const std::string& version, int port) {
  v1::RegisterInstanceRequest request;
  routing::v1::Instance& instance = *request.mutable_instance();
  instance.set_service(service);
  instance.set_version(version);
  instance.mutable_address()->mutable_socket_address()->set_address("127.0.0.1");
  instance.mutable_address()->mutable_socket_address()->set_port_value(port);
  return RegisterInstance(registry, caller, request).status();
}

absl::Status PublishEcho(Registry& registry, const Caller& caller, const std::vector<int>& ports) {
  int major = 0;
  for (const int port : ports) {
    v1::PublishVersionRequest publish;
    publish.set_service("echo");
    publish.set_name(absl::StrCat(++major, ".0.0"));
    publish.set_descriptor_set(EchoSchema("pinion.test"));
    RETURN_IF_ERROR(PublishVersion(registry, caller, publish).status());
    RETURN_IF_ERROR(RegisterLocal(registry, caller, publish.service(), publish.name(), port));
  }
  return absl::OkStatus();
}

absl::Status AddConsumer(Registry& registry, const Caller& caller, const std::string& name) {
  v1::CreateConsumerRequest consumer;
  consumer.mutable_consumer()->set_name(name);
  return Run(registry, CreateConsumer, caller, consumer).status();
}

std::string ConsumerName(int64_t number) { return absl::StrCat("consumer-", number); }

absl::Status AddConsumers(Registry& registry, const Caller& caller, int64_t count, bool pin) {
  std::vector<absl::Status> results(std::max(1u, std::thread::hardware_concurrency()));
  std::atomic<int64_t> next = 0;
  std::vector<std::thread> threads;
  for (absl::Status& result : results) {
    threads.emplace_back([&registry, &caller, &next, &result, count, pin] {
      for (int64_t number = next++; number < count && result.ok(); number = next++) {
        const std::string name = ConsumerName(number);
        result = AddConsumer(registry, caller, name);
        if (pin) result.Update(Pin(registry, caller, name, "echo", "^1"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) RETURN_IF_ERROR(result);
  return absl::OkStatus();
}

absl::Status Pin(Registry& registry, const Caller& caller, const std::string& consumer,
                 const std::string& service, const std::string& expression) {
  v1::SetPinRequest request;
  request.mutable_pin()->set_consumer(consumer);
  request.mutable_pin()->set_service(service);
  request.mutable_pin()->set_expression(expression);
  return Run(registry, SetPin, caller, request).status();
}

}  // namespace pinion::service
