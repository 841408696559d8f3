#include "pinion/gateway_report.h"

#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "pinion/auth_metrics.h"
#include "pinion/call_metrics.h"
#include "pinion/tls_metrics.h"

namespace pinion {
namespace {

using admin::MetricFamily;
using admin::MetricType;
using proxy::Stats;

std::string RegistryText(const watch::WatchStatus& watch) {
  if (watch.connected && !watch.refusal) return "connected";
  if (watch.problem.empty()) return "connecting";
  return watch.age == absl::InfiniteDuration()
             ? watch.problem
             : absl::StrCat(watch.problem, " (last heard ",
                            absl::FormatDuration(absl::Trunc(watch.age, absl::Seconds(1))),
                            " ago)");
}

MetricFamily One(std::string name, std::string help, MetricType type, double value) {
  return {std::move(name), std::move(help), type, {{.value = value}}};
}

double Sum(const std::vector<const Stats*>& workers, Counter Stats::*counter) {
  uint64_t sum = 0;
  for (const Stats* worker : workers) sum += (worker->*counter).value();
  return static_cast<double>(sum);
}

MetricFamily CallsByCode(const std::vector<const Stats*>& workers) {
  MetricFamily family{
      "pinion_calls_ended_total", "Calls that ended, by grpc-status.", MetricType::kCounter, {}};
  for (size_t code = 0; code < std::tuple_size_v<proxy::CodeCounters>; ++code) {
    uint64_t sum = 0;
    for (const Stats* worker : workers) sum += worker->calls_by_code[code].value();
    family.samples.push_back({.labels = {{"code", std::string(proxy::CodeName(code))}},
                              .value = static_cast<double>(sum)});
  }
  return family;
}

void AddAccessLog(const access_log::Writer& log, std::vector<MetricFamily>& families) {
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    families.push_back(One(name, help, MetricType::kCounter, static_cast<double>(value)));
  };
  counter("pinion_access_log_lines_total", "Lines given to the access log.", log.lines());
  counter("pinion_access_log_dropped_total",
          "Lines of the access log that were lost: it was full, or could not be written.",
          log.dropped());
  counter("pinion_access_log_write_failures_total", "Failed writes of the access log.",
          log.write_failures());
}

MetricFamily PinProposalsByOutcome(const watch::PinProposals::Counts& counts,
                                   double dropped_by_workers) {
  const auto sample = [](const char* outcome, int64_t value) {
    return admin::Sample{.labels = {{"outcome", outcome}}, .value = static_cast<double>(value)};
  };
  MetricFamily family{"pinion_pin_proposals_total",
                      "Pins that first calls proposed, by what became of them.",
                      MetricType::kCounter,
                      {sample("created", counts.created), sample("existed", counts.existed),
                       sample("refused", counts.refused), sample("dropped", counts.dropped)}};
  family.samples.back().value += dropped_by_workers;
  return family;
}

// What the registry is told of calls.
void AddReports(const watch::GatewayReports::Counts& counts, std::vector<MetricFamily>& families) {
  families.push_back(
      {"pinion_registry_reports_total",
       "Reports of calls to the registry, by what became of them.",
       MetricType::kCounter,
       {{.labels = {{"outcome", "taken"}}, .value = static_cast<double>(counts.taken)},
        {.labels = {{"outcome", "refused"}}, .value = static_cast<double>(counts.refused)}}});
  families.push_back(One("pinion_usage_rows_waiting",
                         "Rows of usage that the registry has not taken yet.", MetricType::kGauge,
                         static_cast<double>(counts.waiting_rows)));
  families.push_back(One("pinion_usage_calls_dropped_total",
                         "Calls that the registry will not hear of: no room, or refused.",
                         MetricType::kCounter, static_cast<double>(counts.dropped_calls)));
}

MetricFamily RefusedByReason(const watch::WatchStatus& watch) {
  MetricFamily family{"pinion_registry_refused_total",
                      "Snapshots and changes that were not taken over, by reason.",
                      MetricType::kCounter,
                      {}};
  for (size_t i = 0; i < watch.refused.size(); ++i) {
    const auto reason = static_cast<watch::RefusalReason>(i);
    family.samples.push_back({.labels = {{"reason", std::string(watch::RefusalName(reason))}},
                              .value = static_cast<double>(watch.refused[i])});
  }
  return family;
}

void AddWatch(const watch::WatchStatus& watch, std::vector<MetricFamily>& families) {
  const auto counter = [&](const char* name, const char* help, int64_t value) {
    families.push_back(One(name, help, MetricType::kCounter, static_cast<double>(value)));
  };
  const auto gauge = [&](const char* name, const char* help, double value) {
    families.push_back(One(name, help, MetricType::kGauge, value));
  };
  gauge("pinion_registry_connected", "1 while the registry is heard.", watch.connected ? 1 : 0);
  gauge("pinion_registry_frozen", "1 while nobody says that the route table is the registry's.",
        watch.frozen() ? 1 : 0);
  gauge(
      "pinion_registry_refusal",
      "1 while what the registry has is refused and waits for a correction or an operator's word.",
      watch.refusal.has_value() ? 1 : 0);
  gauge("pinion_registry_revision", "Revision of the route table in force.",
        static_cast<double>(watch.revision));
  gauge("pinion_registry_age_seconds", "Since the registry last confirmed that revision.",
        absl::ToDoubleSeconds(watch.age));
  counter("pinion_registry_streams_ended_total", "Watch streams that broke.", watch.streams_ended);
  counter("pinion_registry_moves_total", "Times that another of the registry's addresses was next.",
          watch.moves);
  families.push_back(RefusedByReason(watch));
  counter("pinion_registry_snapshots_total", "Snapshots received.", watch.snapshots_received);
  counter("pinion_route_tables_total", "Route tables put in force.", watch.tables_published);
  counter("pinion_registry_recording_failures_total",
          "Failures to keep the last good state on disk.", watch.recording_failures);
}

}  // namespace

void TableInForce::Set(std::shared_ptr<const route::RouteTable> table) {
  absl::MutexLock lock(&mutex_);
  table_ = std::move(table);
  since_ = SystemClock().Monotonic();
}

admin::TableStatus TableInForce::Status(const std::optional<watch::WatchStatus>& watch) const {
  std::shared_ptr<const route::RouteTable> table;
  admin::TableStatus status;
  {
    absl::MutexLock lock(&mutex_);
    table = table_;
    status.age = SystemClock().Monotonic() - since_;
  }
  status.source = "static";
  if (watch) {
    status.source = watch->from_disk ? "snapshot" : "registry";
    status.revision = static_cast<uint64_t>(watch->revision);
    status.registry = RegistryText(*watch);
    status.frozen = watch->frozen();
    status.warning = watch->warning;
  }
  if (table == nullptr) return status;
  status.in_place = true;
  for (const route::ServiceEntry* service : table->Services()) {
    ++status.services;
    status.versions += service->versions.size();
    for (const auto& version : service->versions) status.instances += version->instances->size();
  }
  status.consumers = table->consumer_count();
  status.pins = table->pin_count();
  return status;
}

std::vector<MetricFamily> Metrics(const worker::Gateway& gateway,
                                  const std::optional<watch::WatchStatus>& watch) {
  const std::vector<const Stats*> workers = gateway.stats();
  constexpr MetricType kCounter = MetricType::kCounter;
  constexpr MetricType kGauge = MetricType::kGauge;
  std::vector<MetricFamily> families = {
      One("pinion_connections", "Open downstream connections.", kGauge,
          Sum(workers, &Stats::connections)),
      One("pinion_connections_total", "Downstream connections accepted.", kCounter,
          Sum(workers, &Stats::connections_total)),
      One("pinion_connections_aged_total", "Connections that max_connection_age asked to go.",
          kCounter, Sum(workers, &Stats::connections_aged)),
      One("pinion_calls", "Calls that run now.", kGauge, Sum(workers, &Stats::calls)),
      One("pinion_calls_total", "Calls that began.", kCounter, Sum(workers, &Stats::calls_total)),
      CallsByCode(workers),
      One("pinion_retries_total", "Further attempts of calls.", kCounter,
          Sum(workers, &Stats::retries)),
      One("pinion_retries_denied_total", "Retries that the budget or the throttle forbade.",
          kCounter, Sum(workers, &Stats::retries_denied)),
      One("pinion_overloads_total", "Calls that a circuit breaker refused.", kCounter,
          Sum(workers, &Stats::overloads)),
      One("pinion_request_bytes_total", "Request DATA forwarded.", kCounter,
          Sum(workers, &Stats::request_bytes)),
      One("pinion_response_bytes_total", "Response DATA forwarded.", kCounter,
          Sum(workers, &Stats::response_bytes)),
  };
  AddCallMetrics(workers, families);
  const worker::MemoryStatus memory = gateway.memory_status();
  families.push_back(One("pinion_memory_bytes", "Memory of the process that counts.", kGauge,
                         static_cast<double>(memory.used)));
  families.push_back(One("pinion_memory_budget_bytes", "What it may use.", kGauge,
                         static_cast<double>(memory.budget)));
  families.push_back(LimitMetrics(gateway.limits()));
  AddTlsMetrics(gateway, SystemClock().Wall(), families);
  AddAuthMetrics(gateway, SystemClock().Monotonic(), families);
  if (gateway.access_log() != nullptr) AddAccessLog(*gateway.access_log(), families);
  if (watch) {
    AddWatch(*watch, families);
    families.push_back(
        PinProposalsByOutcome(watch->pin_proposals, Sum(workers, &Stats::pin_proposals_dropped)));
    families.push_back(One("pinion_pin_proposals_waiting",
                           "Pins that first calls proposed and the registry has not heard of yet.",
                           kGauge, static_cast<double>(watch->pin_proposals.waiting)));
    AddReports(watch->reports, families);
  }
  return families;
}

}  // namespace pinion
