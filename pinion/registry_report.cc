#include "pinion/registry_report.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/proxy/call_stats.h"
#include "registry/model/instance_checks.h"

namespace pinion {
namespace {

using admin::MetricFamily;
using admin::MetricType;
using admin::Sample;
using service::RegistryCounts;
using store::MeasuredStore;

constexpr std::array<const char*, store::kCommitOutcomes> kCommitOutcomeNames = {
    "committed", "conflict", "refused", "full", "away", "unknown"};

Sample Labelled(std::vector<std::pair<std::string, std::string>> labels, int64_t value) {
  return {.labels = std::move(labels), .value = static_cast<double>(value)};
}

MetricFamily One(std::string name, std::string help, MetricType type, int64_t value) {
  return {std::move(name), std::move(help), type, {Labelled({}, value)}};
}

// "sqlite" of "sqlite /var/lib/pinion/registry.db".
std::string Backend(const std::string& store) { return store.substr(0, store.find(' ')); }

bool Away(const RegistryCounts& counts) { return absl::IsUnavailable(counts.housekeeping); }

void AddStore(const RegistryCounts& counts, std::vector<MetricFamily>& families) {
  families.push_back({"pinion_store_up",
                      "1 while the store answers, by backend.",
                      MetricType::kGauge,
                      {Labelled({{"backend", Backend(counts.store)}}, Away(counts) ? 0 : 1)}});
  families.push_back(
      One("pinion_store_read_only", "1 while the store takes no changes: its disk is full.",
          MetricType::kGauge, absl::IsResourceExhausted(counts.last_commit) ? 1 : 0));
  families.push_back(One("pinion_store_revision", "Revision of the store that was seen last.",
                         MetricType::kGauge, counts.revision));
  families.push_back(One("pinion_store_compact_revision",
                         "Revision from which on the store can be watched.", MetricType::kGauge,
                         counts.compact_revision));
  MetricFamily outcomes{"pinion_store_commits_total",
                        "Transactions, by what came of them.",
                        MetricType::kCounter,
                        {}};
  for (size_t i = 0; i < store::kCommitOutcomes; ++i) {
    outcomes.samples.push_back(
        Labelled({{"outcome", kCommitOutcomeNames[i]}}, counts.commits.by_outcome[i]));
  }
  families.push_back(std::move(outcomes));
  Sample histogram;
  for (size_t i = 0; i < counts.commits.buckets.size(); ++i) {
    const bool last = i == MeasuredStore::kBounds.size();
    histogram.count += static_cast<uint64_t>(counts.commits.buckets[i]);
    histogram.buckets.push_back(
        {last ? std::numeric_limits<double>::infinity() : MeasuredStore::kBounds[i],
         histogram.count});
  }
  histogram.sum = counts.commits.seconds;
  families.push_back({"pinion_store_commit_seconds",
                      "From a transaction to its answer.",
                      MetricType::kHistogram,
                      {std::move(histogram)}});
}

void AddCalls(const RegistryCounts& counts, std::vector<MetricFamily>& families) {
  MetricFamily calls{"pinion_registry_calls_total",
                     "Calls of the registry's API that ended, by method and code.",
                     MetricType::kCounter,
                     {}};
  for (const auto& [key, count] : counts.calls) {
    const auto& [method, code] = key;
    const std::string name(proxy::CodeName(proxy::CodeIndex(code)));
    calls.samples.push_back(Labelled({{"method", method}, {"code", name}}, count));
  }
  families.push_back(std::move(calls));
  families.push_back({"pinion_registry_denied_calls_total",
                      "Calls that access refused: no credential that is good, or not allowed.",
                      MetricType::kCounter,
                      {Labelled({{"reason", "unauthenticated"}}, counts.unauthenticated),
                       Labelled({{"reason", "denied"}}, counts.denied)}});
}

void AddWatch(const service::WatchCounts& watch, std::vector<MetricFamily>& families) {
  families.push_back(One("pinion_registry_watchers", "Gateways that watch this registry.",
                         MetricType::kGauge, watch.watchers));
  families.push_back(One("pinion_registry_watch_lag",
                         "Changes that the slowest watcher was not sent yet.", MetricType::kGauge,
                         watch.lag));
  families.push_back(One("pinion_registry_watchers_overtaken_total",
                         "Watchers that read too slowly and had to begin anew.",
                         MetricType::kCounter, watch.overtaken));
}

void AddInstances(const service::InstanceCounts& instances, std::vector<MetricFamily>& families) {
  MetricFamily states{"pinion_instances",
                      "Registered instances, by what checks have found and whether they get calls.",
                      MetricType::kGauge,
                      {}};
  for (const auto& [state, count] : instances.by_state) {
    states.samples.push_back(Labelled(
        {{"state", model::VerdictText(state.first)}, {"calls", state.second ? "no" : "yes"}},
        count));
  }
  families.push_back(std::move(states));
  families.push_back(One("pinion_instance_checker",
                         "1 where this registry is the one that checks instances.",
                         MetricType::kGauge, instances.checking ? 1 : 0));
  families.push_back(One("pinion_instance_checks_total", "Checks of instances that were made.",
                         MetricType::kCounter, instances.checks));
  families.push_back(One("pinion_instance_findings_waiting",
                         "What checks have found and is not written down yet.", MetricType::kGauge,
                         instances.waiting));
}

}  // namespace

void AppendMetrics(const RegistryCounts& counts, std::vector<MetricFamily>& families) {
  AddStore(counts, families);
  AddCalls(counts, families);
  AddWatch(counts.watch, families);
  AddInstances(counts.instances, families);
  families.push_back(
      One("pinion_jobs", "Jobs that have not ended.", MetricType::kGauge, counts.jobs));
}

admin::RegistryStatus StatusOf(const RegistryCounts& counts) {
  admin::RegistryStatus status{.id = counts.registry_id,
                               .store = counts.store,
                               .revision = counts.revision,
                               .watchers = counts.watch.watchers};
  if (Away(counts)) status.problem = std::string(counts.housekeeping.message());
  if (absl::IsResourceExhausted(counts.last_commit)) {
    status.warning =
        absl::StrCat("no changes are taken: ", std::string(counts.last_commit.message()));
  }
  return status;
}

}  // namespace pinion
