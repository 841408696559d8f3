#include "gateway/proxy/call_stats.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "gateway/route/refusal.h"

namespace pinion::proxy {
namespace {

using CodeNames = std::array<std::string, kGrpcCodes + 1>;

CodeNames MakeCodeNames() {
  CodeNames names;
  for (int code = 0; code < kGrpcCodes; ++code) {
    names[code] = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  }
  names[kGrpcCodes] = "NONE";
  return names;
}

constexpr char kOther[] = "other";

}  // namespace

size_t CodeIndex(int grpc_status) {
  return grpc_status >= 0 && grpc_status < kGrpcCodes ? static_cast<size_t>(grpc_status)
                                                      : kGrpcCodes;
}

absl::string_view CodeName(size_t index) {
  static const CodeNames names = MakeCodeNames();
  return names[index];
}

absl::string_view ErrorKindName(size_t kind) {
  if (kind >= kReasonsMax) return CodeName(std::min<size_t>(kind - kReasonsMax, kGrpcCodes));
  return route::ReasonName(static_cast<route::Reason>(kind));
}

void LatencyHistogram::Observe(absl::Duration duration) {
  const int64_t us = std::max<int64_t>(0, absl::ToInt64Microseconds(duration));
  const double seconds = static_cast<double>(us) * 1e-6;
  size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  buckets_[bucket].Add();
  sum_us_.Add(static_cast<uint64_t>(us));
}

CallStats::CallStats()
    : versions_(std::make_unique<VersionStats>(kOther, kOther)),
      services_(std::make_unique<ServiceStats>(kOther)),
      no_service_("") {}

VersionStats& CallStats::Of(const route::VersionEntry& version) {
  return versions_.For(version.id, [&version] {
    return std::make_unique<VersionStats>(version.service, version.name);
  });
}

ServiceStats& CallStats::OfService(absl::string_view name) {
  if (name.empty()) return no_service_;
  const auto make = [name] { return std::make_unique<ServiceStats>(std::string(name)); };
  if (const auto known = service_numbers_.find(name); known != service_numbers_.end()) {
    return services_.For(known->second, make);
  }
  // A route table's own numbers begin anew with another registry; these do not. The one above the
  // bound stands for all others.
  const auto number = static_cast<uint32_t>(service_numbers_.size());
  if (number < limits::kMetricServicesMax) service_numbers_.emplace(name, number);
  return services_.For(number, make);
}

}  // namespace pinion::proxy
