#include "gateway/upstream/cluster.h"

#include <algorithm>
#include <utility>

namespace pinion::upstream {
namespace {

net::Endpoint EndpointOf(const route::InstanceEntry& entry) {
  if (entry.port == 0) return {.path = entry.host};
  return {.host = entry.host, .port = entry.port};
}

bool Serves(const Instance& instance, const route::InstanceEntry& entry) {
  return instance.uid() == entry.uid && instance.tls_name() == entry.tls_name &&
         instance.endpoint() == EndpointOf(entry);
}

}  // namespace

void Cluster::Update(const route::VersionEntry& version, uint64_t table_generation) {
  table_generation_ = table_generation;
  policy_ = version.load_balancing;
  if (source_ == version.instances) return;
  source_ = version.instances;
  std::vector<std::unique_ptr<Instance>> old = std::exchange(instances_, {});
  for (const route::InstanceEntry& entry : *source_) {
    auto kept = std::find_if(old.begin(), old.end(), [&](const auto& instance) {
      return instance != nullptr && Serves(*instance, entry);
    });
    if (kept != old.end()) {
      (*kept)->set_weight(entry.weight);
      instances_.push_back(std::move(*kept));
    } else {
      instances_.push_back(std::make_unique<Instance>(shared_, options_, load_, version.service,
                                                      entry.uid, EndpointOf(entry), entry.tls_name,
                                                      entry.weight));
    }
  }
  Retire(std::move(old));
}

void Cluster::Retire(std::vector<std::unique_ptr<Instance>> gone) {
  for (auto& instance : gone) {
    if (instance == nullptr) continue;
    instance->Retire();
    retired_.push_back(std::move(instance));
  }
}

Instance* Cluster::Pick(absl::Span<Instance* const> tried) {
  candidates_.clear();
  for (bool resting : {false, true}) {
    for (const auto& instance : instances_) {
      if (!resting && !instance->available()) continue;
      if (std::find(tried.begin(), tried.end(), instance.get()) != tried.end()) continue;
      candidates_.push_back(instance.get());
    }
    if (!candidates_.empty()) break;
  }
  if (candidates_.empty()) return nullptr;
  if (candidates_.size() == 1) return candidates_.front();
  return policy_ == routing::v1::ROUND_ROBIN ? PickRoundRobin(candidates_)
                                             : PickLeastRequest(candidates_);
}

bool Cluster::Has(absl::Span<Instance* const> tried) const {
  return std::any_of(instances_.begin(), instances_.end(), [&](const auto& instance) {
    return std::find(tried.begin(), tried.end(), instance.get()) == tried.end();
  });
}

bool Cluster::HasAvailable(absl::Span<Instance* const> tried) const {
  return std::any_of(instances_.begin(), instances_.end(), [&](const auto& instance) {
    return instance->available() &&
           std::find(tried.begin(), tried.end(), instance.get()) == tried.end();
  });
}

void Cluster::Report(Instance& instance, bool failed) {
  if (!failed) return instance.OnSuccess();
  if (!instance.OnFailure()) return;
  const size_t resting = std::count_if(instances_.begin(), instances_.end(),
                                       [](const auto& each) { return each->ejected(); });
  if ((resting + 1) * 100 <= instances_.size() * options_.outlier_percent_max) instance.Eject();
}

// Smooth weighted round robin: each gains its weight, the richest goes and pays for all.
Instance* Cluster::PickRoundRobin(absl::Span<Instance* const> candidates) {
  int64_t total = 0;
  Instance* best = candidates.front();
  for (Instance* instance : candidates) {
    instance->turn_credit += instance->weight();
    total += instance->weight();
    if (instance->turn_credit > best->turn_credit) best = instance;
  }
  best->turn_credit -= total;
  return best;
}

// The less loaded of two random choices, loads counted by weight.
Instance* Cluster::PickLeastRequest(absl::Span<Instance* const> candidates) {
  const size_t first = random_.Below(candidates.size());
  size_t second = random_.Below(candidates.size() - 1);
  if (second >= first) ++second;
  Instance* a = candidates[first];
  Instance* b = candidates[second];
  const uint64_t load_a = (a->load() + 1) * b->weight();
  const uint64_t load_b = (b->load() + 1) * a->weight();
  return load_b < load_a ? b : a;
}

void Cluster::OnTlsChange(const TlsContexts& before) {
  for (const auto& instance : instances_) instance->OnTlsChange(before);
}

void Cluster::Sweep() {
  std::erase_if(retired_, [](const auto& instance) { return instance->idle(); });
}

void Cluster::Retire() {
  source_.reset();
  Retire(std::exchange(instances_, {}));
}

void Clusters::SetTls(std::shared_ptr<const TlsContexts> tls) {
  const std::shared_ptr<const TlsContexts> before = std::exchange(options_.tls, std::move(tls));
  if (before == nullptr || before == options_.tls) return;
  for (const auto& cluster : clusters_) {
    if (cluster != nullptr) cluster->OnTlsChange(*before);
  }
}

Cluster& Clusters::For(const route::VersionEntry& version, uint64_t table_generation) {
  if (version.id >= clusters_.size()) clusters_.resize(version.id + 1);
  std::unique_ptr<Cluster>& cluster = clusters_[version.id];
  // A call that began with an older table must not bring back what has left since: its address may
  // be another version's by now.
  if (cluster == nullptr) {
    const uint64_t known = table_generation < table_generation_ ? table_generation_ : 0;
    cluster = std::make_unique<Cluster>(shared_, options_, random_, known);
  }
  if (cluster->table_generation() < table_generation) cluster->Update(version, table_generation);
  return *cluster;
}

bool Clusters::Sweep(const route::RouteTable& table) {
  table_generation_ = table.generation();
  std::vector<const route::VersionEntry*> routed(clusters_.size(), nullptr);
  for (const route::ServiceEntry* service : table.Services()) {
    for (const auto& version : service->versions) {
      if (version->id < routed.size()) routed[version->id] = version.get();
    }
  }
  bool clean = true;
  for (size_t id = 0; id < clusters_.size(); ++id) {
    std::unique_ptr<Cluster>& cluster = clusters_[id];
    if (cluster == nullptr) continue;
    if (routed[id] == nullptr) {
      cluster->Retire();
    } else {
      For(*routed[id], table.generation());
    }
    cluster->Sweep();
    clean = clean && !cluster->has_retired();
    if (cluster->empty()) cluster.reset();
  }
  return clean;
}

}  // namespace pinion::upstream
