#include "gateway/route/route_table.h"

#include <atomic>

#include "absl/strings/str_cat.h"
#include "gateway/route/decision.h"

namespace pinion::route {
namespace {

// Tables are told apart by number and not by address, which the next table may get again.
uint64_t NextGeneration() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

absl::string_view SourceName(Source source) {
  switch (source) {
    case Source::kHeader:
      return "api-version";
    case Source::kMethodPin:
      return "method-pin";
    case Source::kServicePin:
      return "service-pin";
    case Source::kDefaultChannel:
      return "default-channel";
    case Source::kPackage:
      return "package";
    case Source::kUnpinnedPolicy:
      return "unpinned-policy";
  }
  return "";
}

RouteTable::RouteTable()
    : generation_(NextGeneration()),
      grpc_services_(std::make_shared<GrpcIndex>()),
      service_ids_(std::make_shared<NameIndex>()) {}

Resolved RouteTable::Resolve(const CallQuery& query, HeaderResolutions& headers) const {
  return Decision(*this, query, headers, nullptr).Run();
}

std::vector<std::string> RouteTable::Explain(const CallQuery& query) const {
  std::vector<std::string> steps;
  HeaderResolutions headers;
  const Resolved resolved = Decision(*this, query, headers, &steps).Run();
  if (const Route* route = std::get_if<Route>(&resolved); route != nullptr) {
    steps.push_back(absl::StrCat("result: ", route->service->name, " ", route->version->name,
                                 ", asked for as ", route->asked, " by ",
                                 SourceName(route->source)));
  } else {
    const Refusal& refusal = std::get<Refusal>(resolved);
    steps.push_back(absl::StrCat("result: refused with ", ReasonName(refusal.reason), " (",
                                 absl::StatusCodeToString(refusal.code), "): ", refusal.message));
  }
  return steps;
}

std::optional<absl::Duration> RouteTable::Drain(const CallQuery& query) const {
  if (drains_.size() == 0 || query.consumer == nullptr) return std::nullopt;
  HeaderResolutions headers;
  const Resolved resolved = Resolve(query, headers);
  const Route* route = std::get_if<Route>(&resolved);
  if (route == nullptr) return std::nullopt;
  DrainSlot key{query.consumer->id, route->service->id, 0, 0};
  if (route->source == Source::kMethodPin) {
    key.method = route->service->methods->find(query.method.full)->second;
  } else if (route->source != Source::kServicePin) {
    return std::nullopt;
  }
  const DrainSlot* drain =
      drains_.Find(key.Hash(), [&key](const DrainSlot& slot) { return slot.SameKey(key); });
  if (drain == nullptr) return std::nullopt;
  return absl::Seconds(drain->seconds);
}

Refusal RouteTable::RefuseRoute(const Route& route, const Consumer* consumer, Reason reason,
                                absl::string_view message) {
  return MakeRefusal(reason, message,
                     {{"service", route.service->name},
                      {"version", route.version->name},
                      {"consumer", consumer == nullptr ? "" : Printable(consumer->name)},
                      {"asked", Printable(route.asked)},
                      {"source", std::string(SourceName(route.source))}});
}

const ServiceEntry* RouteTable::FindService(absl::string_view name) const {
  const auto it = service_ids_->find(name);
  return it == service_ids_->end() ? nullptr : ServiceOf(it->second);
}

const ServiceEntry* RouteTable::FindServiceOfGrpc(absl::string_view grpc_service) const {
  const auto it = grpc_services_->find(grpc_service);
  return it == grpc_services_->end() ? nullptr : ServiceOf(it->second.service);
}

std::vector<const ServiceEntry*> RouteTable::Services() const {
  std::vector<const ServiceEntry*> services;
  services_.ForEach([&services](const std::shared_ptr<const ServiceEntry>& service) {
    if (service != nullptr) services.push_back(service.get());
  });
  return services;
}

size_t RouteTable::CopiedSince(const RouteTable& before) const {
  size_t copied = services_.CopiedSince(before.services_) + pins_.CopiedSince(before.pins_) +
                  drains_.CopiedSince(before.drains_) + consumers_.CopiedSince(before.consumers_);
  if (grpc_services_ != before.grpc_services_) copied += grpc_services_->size();
  if (service_ids_ != before.service_ids_) copied += service_ids_->size();
  if (schemas_ != before.schemas_) copied += schemas_->size();
  return copied;
}

const Schema* RouteTable::FindSchema(absl::string_view digest) const {
  if (schemas_ == nullptr) return nullptr;
  const auto found = schemas_->find(digest);
  return found == schemas_->end() ? nullptr : found->second.get();
}

}  // namespace pinion::route
