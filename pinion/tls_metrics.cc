#include "pinion/tls_metrics.h"

#include <string>
#include <utility>

#include "gateway/net/tls_shared.h"

namespace pinion {
namespace {

using admin::MetricFamily;
using admin::MetricType;
using admin::Sample;

struct Side {
  const char* name;
  net::TlsStats net::TlsShared::*stats;
};
constexpr Side kSides[] = {{"downstream", &net::TlsShared::downstream},
                           {"upstream", &net::TlsShared::upstream}};

template <typename Value>
double Sum(const std::vector<const net::TlsShared*>& workers, const Side& side, Value value) {
  uint64_t sum = 0;
  for (const net::TlsShared* worker : workers) sum += value(worker->*side.stats).value();
  return static_cast<double>(sum);
}

MetricFamily Handshakes(const std::vector<const net::TlsShared*>& workers) {
  MetricFamily family{"pinion_tls_handshakes_total",
                      "TLS handshakes that succeeded, by side, and whether a session was resumed.",
                      MetricType::kCounter,
                      {}};
  for (const Side& side : kSides) {
    const double all = Sum(
        workers, side, [](const auto& stats) -> auto& { return stats.handshakes; });
    const double resumed = Sum(
        workers, side, [](const auto& stats) -> auto& { return stats.resumed; });
    family.samples.push_back({{{"side", side.name}, {"resumed", "false"}}, all - resumed});
    family.samples.push_back({{{"side", side.name}, {"resumed", "true"}}, resumed});
  }
  return family;
}

MetricFamily Failures(const std::vector<const net::TlsShared*>& workers) {
  MetricFamily family{"pinion_tls_failures_total",
                      "TLS connections that failed, in the handshake or later, by side and reason.",
                      MetricType::kCounter,
                      {}};
  for (const Side& side : kSides) {
    for (size_t i = 0; i < net::kTlsFailures; ++i) {
      const std::string reason(net::TlsFailureName(static_cast<net::TlsFailure>(i)));
      family.samples.push_back(
          {{{"side", side.name}, {"reason", reason}},
           Sum(
               workers, side, [i](const auto& stats) -> auto& { return stats.failures[i]; })});
    }
  }
  return family;
}

MetricFamily Expiries(const worker::TlsStatus& status, absl::Time now) {
  MetricFamily family{"pinion_tls_certificate_expiry_seconds",
                      "Until the first certificate of a listener, or of those for instances, "
                      "expires; negative: since it has.",
                      MetricType::kGauge,
                      {}};
  for (const auto& [where, expiry] : status.expiries) {
    family.samples.push_back({{{"listener", where}}, absl::ToDoubleSeconds(expiry - now)});
  }
  return family;
}

MetricFamily Count(const char* name, const char* help, uint64_t value) {
  return {name, help, MetricType::kCounter, {{.value = static_cast<double>(value)}}};
}

}  // namespace

void AddTlsMetrics(const worker::Gateway& gateway, absl::Time now,
                   std::vector<MetricFamily>& families) {
  const std::vector<const net::TlsShared*> workers = gateway.tls();
  const worker::TlsStatus status = gateway.tls_status();
  families.push_back(Handshakes(workers));
  families.push_back(Failures(workers));
  families.push_back(Expiries(status, now));
  families.push_back(Count("pinion_tls_reloads_total",
                           "Times that other certificates were read and put in force.",
                           status.reloads));
  families.push_back(Count("pinion_tls_reload_failures_total",
                           "Times that changed files of certificates were not good.",
                           status.failures));
  families.push_back(Count("pinion_tls_drained_total",
                           "Connections that were asked to go before their certificate expires.",
                           gateway.tls_drained()));
}

}  // namespace pinion
