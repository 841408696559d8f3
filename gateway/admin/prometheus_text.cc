// Metric values through prometheus-cpp's serializer, which knows the format's escapes and number
// forms.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "gateway/admin/pages.h"

namespace pinion::admin {
namespace {

prometheus::MetricType Type(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
    case MetricType::kGauge:
      break;
  }
  return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric Convert(const Sample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  metric.counter.value = sample.value;
  metric.gauge.value = sample.value;
  metric.histogram.sample_count = sample.count;
  metric.histogram.sample_sum = sample.sum;
  for (const Bucket& bucket : sample.buckets) {
    metric.histogram.bucket.push_back({bucket.cumulative_count, bucket.upper_bound});
  }
  return metric;
}

}  // namespace

std::string PrometheusText(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> converted;
  for (const MetricFamily& family : families) {
    prometheus::MetricFamily& out = converted.emplace_back();
    out.name = family.name;
    out.help = family.help;
    out.type = Type(family.type);
    for (const Sample& sample : family.samples) out.metric.push_back(Convert(sample));
  }
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(converted);
}

}  // namespace pinion::admin
