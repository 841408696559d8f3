// Metrics as values: what the data plane hands to the admin port, so that it needs no metrics
// library itself.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pinion::admin {

enum class MetricType { kCounter, kGauge, kHistogram };

struct Bucket {
  double upper_bound = 0;
  uint64_t cumulative_count = 0;
};

// One value of a family, told from the others by its labels.
struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;
  // Counters and gauges.
  double value = 0;
  // Histograms: ascending bounds (the last may be +Inf), and what all observations come to.
  std::vector<Bucket> buckets;
  uint64_t count = 0;
  double sum = 0;
};

// REQUIRES: names of families and labels match [a-zA-Z_][a-zA-Z0-9_]*; by Prometheus' custom a
// counter's ends in `_total` and a unit stands last (`_seconds`, `_bytes`).
struct MetricFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kGauge;
  std::vector<Sample> samples;
};

}  // namespace pinion::admin
