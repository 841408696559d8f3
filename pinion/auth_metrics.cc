#include "pinion/auth_metrics.h"

#include <utility>

namespace pinion {
namespace {

using admin::MetricFamily;
using admin::MetricType;

MetricFamily Verifications(const worker::Gateway& gateway) {
  uint64_t all = 0;
  uint64_t bad = 0;
  uint64_t skipped = 0;
  for (const proxy::TokenCache* worker : gateway.tokens()) {
    // In this order, since the workers go on counting: no more bad ones than all.
    bad += worker->refused().value();
    all += worker->verified().value();
    skipped += worker->skipped().value();
  }
  return {"pinion_jwt_verifications_total",
          "Tokens that a worker did not know yet, by what it found.",
          MetricType::kCounter,
          {{{{"outcome", "good"}}, static_cast<double>(all - bad)},
           {{{"outcome", "bad"}}, static_cast<double>(bad)},
           {{{"outcome", "skipped"}}, static_cast<double>(skipped)}}};
}

}  // namespace

void AddAuthMetrics(const worker::Gateway& gateway, absl::Time now,
                    std::vector<MetricFamily>& families) {
  const auth::KeySourceStatus status = gateway.keys_status();
  families.push_back(Verifications(gateway));
  MetricFamily loads{"pinion_jwt_key_loads_total",
                     "Times that an issuer's keys were read or fetched.",
                     MetricType::kCounter,
                     {}};
  MetricFamily age{"pinion_jwt_key_age_seconds",
                   "Since an issuer's keys were last read or fetched.",
                   MetricType::kGauge,
                   {}};
  for (const auth::KeySourceStatus::Issuer& issuer : status.issuers) {
    loads.samples.push_back(
        {{{"issuer", issuer.name}, {"outcome", "good"}}, static_cast<double>(issuer.loads)});
    loads.samples.push_back(
        {{{"issuer", issuer.name}, {"outcome", "failed"}}, static_cast<double>(issuer.failures)});
    if (issuer.loaded_at == absl::InfinitePast()) continue;
    age.samples.push_back(
        {{{"issuer", issuer.name}}, absl::ToDoubleSeconds(now - issuer.loaded_at)});
  }
  families.push_back(std::move(loads));
  families.push_back(std::move(age));
}

}  // namespace pinion
