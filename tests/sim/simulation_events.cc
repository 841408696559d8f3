// What happens to a running simulation from outside: tables change, instances and clients come
// and go.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/sim/simulation.h"

namespace pinion::sim {
namespace {

using routing::v1::Resource;
using testing::CutKind;

Resource ServiceResource(bool round_robin, const std::optional<RetrySpec>& retry) {
  Resource resource;
  auto& service = *resource.mutable_service();
  service.set_name(kService);
  service.set_scheme(routing::v1::SEMVER);
  service.add_grpc_services(kGrpcService);
  if (retry.has_value()) {
    service.mutable_retry_policy()->set_max_attempts(static_cast<uint32_t>(retry->attempts_max));
    for (int code : retry->codes) {
      service.mutable_retry_policy()->add_retryable_status_codes(
          static_cast<routing::v1::RetryPolicy::Code>(code));
    }
  }
  service.set_load_balancing(round_robin ? routing::v1::ROUND_ROBIN : routing::v1::LEAST_REQUEST);
  return resource;
}

Resource VersionResource(const VersionSpec& version) {
  Resource resource;
  resource.mutable_version()->set_service(kService);
  resource.mutable_version()->set_name(NameOf(version));
  resource.mutable_version()->set_state(routing::v1::ACTIVE);
  return resource;
}

Resource ConsumerResource(const std::string& name) {
  Resource resource;
  resource.mutable_consumer()->set_name(name);
  return resource;
}

Resource PinResource(const std::string& consumer, const std::string& expression) {
  Resource resource;
  resource.mutable_pin()->set_consumer(consumer);
  resource.mutable_pin()->set_service(kService);
  resource.mutable_pin()->set_expression(expression);
  return resource;
}

Resource StableResource(const VersionSpec& version) {
  Resource resource;
  resource.mutable_channel()->set_service(kService);
  resource.mutable_channel()->set_name("stable");
  resource.mutable_channel()->set_version(NameOf(version));
  return resource;
}

}  // namespace

void Simulation::ApplyTable(size_t index) {
  const TableState& wanted = scenario_.tables[index].table;
  if (index == 0) {
    CHECK(tables_.Put(ServiceResource(scenario_.round_robin, scenario_.retry)).ok());
    for (const VersionSpec& version : scenario_.versions) {
      CHECK(tables_.Put(VersionResource(version)).ok());
    }
    for (const std::string& consumer : scenario_.consumers) {
      CHECK(tables_.Put(ConsumerResource(consumer)).ok());
    }
  }
  CHECK(tables_.Put(StableResource(scenario_.versions[wanted.stable])).ok());
  for (const auto& [consumer, expression] : applied_.pins) {
    if (!wanted.pins.contains(consumer)) {
      CHECK(tables_.Delete(PinResource(consumer, expression)).ok());
    }
  }
  for (const auto& [consumer, expression] : wanted.pins) {
    Resource pin = PinResource(consumer, expression);
    const auto drain = wanted.drains.find(consumer);
    if (drain != wanted.drains.end()) {
      pin.mutable_pin()->mutable_drain()->set_seconds(drain->second);
    }
    CHECK(tables_.Put(pin).ok());
  }
  for (size_t i = 0; i < scenario_.instances.size(); ++i) {
    PutInstance(i, wanted.instances.contains(i));
  }
  applied_ = wanted;
  facts_.tables.emplace_back(world_.now(), wanted);
  world_.Note("gateway", "has table", index);
  proxy_->SetTable(tables_.Build());
}

void Simulation::PutInstance(size_t index, bool present) {
  const InstanceSpec& spec = scenario_.instances[index];
  Resource resource;
  auto& instance = *resource.mutable_instance();
  instance.set_service(kService);
  instance.set_version(NameOf(scenario_.versions[spec.version]));
  instance.set_uid(spec.uid);
  auto& address = *instance.mutable_address()->mutable_socket_address();
  address.set_address(EndpointOf(index).host);
  address.set_port_value(spec.port);
  if (present) {
    CHECK(tables_.Put(resource).ok());
    return;
  }
  CHECK(tables_.Delete(resource).ok());
  // Who waits for a stream to it, or has it only, fails.
  facts_.troubled_instances.insert(index);
}

void Simulation::Happen(const Event& event) {
  using Kind = Event::Kind;
  world_.Note("scenario", "event of kind", static_cast<uint64_t>(event.kind));
  switch (event.kind) {
    case Kind::kInstanceDies:
      Trouble(EndpointOf(event.target));
      network_.Unlisten(EndpointOf(event.target));
      network_.CutAll(EndpointOf(event.target),
                      world_.random().OneIn(2) ? CutKind::kReset : CutKind::kFin);
      break;
    case Kind::kInstanceStops:
      Trouble(EndpointOf(event.target));
      network_.Unlisten(EndpointOf(event.target));
      stopped_.insert(event.target);
      break;
    case Kind::kInstanceReturns:
      if (!stopped_.contains(event.target)) Listen(event.target);
      break;
    case Kind::kInstanceStarts:
      Listen(event.target);
      break;
    case Kind::kGoAway:
      // In fair weather its two phases cost no call anything.
      if (scenario_.weather != Weather::kFair) facts_.troubled_instances.insert(event.target);
      servers_[event.target]->GoAway(absl::Seconds(2));
      break;
    case Kind::kGoAwayAtOnce:
      facts_.troubled_instances.insert(event.target);
      servers_[event.target]->GoAwayAtOnce();
      break;
    case Kind::kLowerMaxStreams:
      facts_.troubled_instances.insert(event.target);
      servers_[event.target]->LowerMaxStreams(event.number);
      break;
    case Kind::kClientCut:
      for (size_t i = 0; i < slots_.size(); ++i) facts_.troubled_clients.insert(i);
      network_.CutAll({.host = "10.0.0.1", .port = 80}, CutKind::kReset);
      break;
    case Kind::kClientCloses:
      facts_.troubled_clients.insert(event.target);
      if (!slots_[event.target].clients.empty()) slots_[event.target].clients.back()->Close();
      break;
    case Kind::kGatewayDrains:
      for (size_t i = 0; i < slots_.size(); ++i) facts_.troubled_clients.insert(i);
      proxy_->Drain();
      break;
  }
}

}  // namespace pinion::sim
