#include "pinion/call_metrics.h"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace pinion {
namespace {

using admin::MetricFamily;
using admin::MetricType;
using admin::Sample;
using proxy::LatencyHistogram;

constexpr std::array<const char*, proxy::kConsumerClasses> kConsumerClassNames = {"registered",
                                                                                  "unregistered"};

// One version's counters over all workers.
struct VersionSums {
  std::array<std::array<uint64_t, proxy::kGrpcCodes + 1>, proxy::kConsumerClasses> calls = {};
  std::array<uint64_t, LatencyHistogram::kBounds.size() + 1> buckets = {};
  double seconds = 0;
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;

  void Add(const proxy::VersionStats& stats) {
    for (size_t i = 0; i < calls.size(); ++i) {
      for (size_t code = 0; code < calls[i].size(); ++code) {
        calls[i][code] += stats.calls[i][code].value();
      }
    }
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += stats.durations.bucket(i);
    seconds += stats.durations.sum_seconds();
    request_bytes += stats.request_bytes.value();
    response_bytes += stats.response_bytes.value();
  }
};

Sample Histogram(const VersionSums& sums) {
  Sample sample;
  for (size_t i = 0; i < sums.buckets.size(); ++i) {
    sample.count += sums.buckets[i];
    const bool last = i == LatencyHistogram::kBounds.size();
    sample.buckets.push_back(
        {last ? std::numeric_limits<double>::infinity() : LatencyHistogram::kBounds[i],
         sample.count});
  }
  sample.sum = sums.seconds;
  return sample;
}

MetricFamily Errors(const std::vector<const proxy::Stats*>& workers) {
  std::map<std::pair<std::string, std::string>, uint64_t> sums;
  for (const proxy::Stats* worker : workers) {
    worker->by_version.ForEachService([&sums](const proxy::ServiceStats& service) {
      for (size_t kind = 0; kind < proxy::kErrorKinds; ++kind) {
        const uint64_t count = service.errors[kind].value();
        if (count > 0) sums[{service.service, std::string(proxy::ErrorKindName(kind))}] += count;
      }
    });
  }
  MetricFamily family{"pinion_call_errors_total",
                      "Calls that the gateway ended itself, by the reason that their callers were "
                      "told, or the status where there is no more to say.",
                      MetricType::kCounter,
                      {}};
  for (const auto& [labels, count] : sums) {
    family.samples.push_back({.labels = {{"service", labels.first}, {"reason", labels.second}},
                              .value = static_cast<double>(count)});
  }
  return family;
}

}  // namespace

void AddCallMetrics(const std::vector<const proxy::Stats*>& workers,
                    std::vector<MetricFamily>& families) {
  std::map<std::pair<std::string, std::string>, VersionSums> versions;
  for (const proxy::Stats* worker : workers) {
    worker->by_version.ForEachVersion([&versions](const proxy::VersionStats& version) {
      versions[{version.service, version.version}].Add(version);
    });
  }
  MetricFamily calls{"pinion_version_calls_total",
                     "Calls that ended, by the version that they were routed to.",
                     MetricType::kCounter,
                     {}};
  MetricFamily durations{"pinion_version_call_seconds",
                         "From a call's headers to its end.",
                         MetricType::kHistogram,
                         {}};
  MetricFamily request_bytes{"pinion_version_request_bytes_total",
                             "Request DATA that instances took.",
                             MetricType::kCounter,
                             {}};
  MetricFamily response_bytes{"pinion_version_response_bytes_total",
                              "Response DATA that callers took.",
                              MetricType::kCounter,
                              {}};
  for (const auto& [name, sums] : versions) {
    const std::vector<std::pair<std::string, std::string>> labels = {{"service", name.first},
                                                                     {"version", name.second}};
    Sample histogram = Histogram(sums);
    if (histogram.count == 0) continue;
    histogram.labels = labels;
    durations.samples.push_back(std::move(histogram));
    request_bytes.samples.push_back(
        {.labels = labels, .value = static_cast<double>(sums.request_bytes)});
    response_bytes.samples.push_back(
        {.labels = labels, .value = static_cast<double>(sums.response_bytes)});
    for (size_t i = 0; i < sums.calls.size(); ++i) {
      for (size_t code = 0; code < sums.calls[i].size(); ++code) {
        if (sums.calls[i][code] == 0) continue;
        Sample sample{.labels = labels, .value = static_cast<double>(sums.calls[i][code])};
        sample.labels.emplace_back("consumer", kConsumerClassNames[i]);
        sample.labels.emplace_back("code", std::string(proxy::CodeName(code)));
        calls.samples.push_back(std::move(sample));
      }
    }
  }
  families.push_back(std::move(calls));
  families.push_back(std::move(durations));
  families.push_back(std::move(request_bytes));
  families.push_back(std::move(response_bytes));
  families.push_back(Errors(workers));
}

MetricFamily LimitMetrics(const std::vector<const http2::LimitCounters*>& workers) {
  MetricFamily family{"pinion_limits_total",
                      "How often a limit has acted, also one that instances ran into.",
                      MetricType::kCounter,
                      {}};
  for (size_t i = 0; i < http2::kLimits; ++i) {
    const auto limit = static_cast<http2::Limit>(i);
    uint64_t sum = 0;
    for (const http2::LimitCounters* worker : workers) sum += worker->value(limit);
    family.samples.push_back({.labels = {{"limit", std::string(http2::LimitName(limit))}},
                              .value = static_cast<double>(sum)});
  }
  return family;
}

}  // namespace pinion
