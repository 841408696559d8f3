// The instances of one version in one worker, and the choice among them. Owned by Clusters; the
// worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/random.h"
#include "gateway/route/entries.h"
#include "gateway/route/route_table.h"
#include "gateway/transport/connection.h"
#include "gateway/upstream/instance.h"
#include "gateway/upstream/options.h"
#include "gateway/upstream/retry_budget.h"

namespace pinion::upstream {

class Cluster {
 public:
  // Without instances until it is given a table later than `table_generation`.
  Cluster(transport::Shared& shared, const Options& options, Random& random,
          uint64_t table_generation)
      : shared_(shared),
        options_(options),
        random_(random),
        table_generation_(table_generation),
        retries_(std::make_shared<RetryBudget>(options.retries_min, options.retry_percent)) {}

  // Takes over the version's instances: what stays keeps its connections, what left retires.
  void Update(const route::VersionEntry& version, uint64_t table_generation);

  // By the version's policy among the instances that are not in `tried`; those that rest after
  // failures only when no other is left. Null: none. The instance stays valid at least until the
  // end of the turn; a waiting or running call keeps it.
  Instance* Pick(absl::Span<Instance* const> tried);

  // An instance that is not in `tried`; the second: that also is available.
  bool Has(absl::Span<Instance* const> tried) const;
  bool HasAvailable(absl::Span<Instance* const> tried) const;

  // How an attempt at one of its instances ended: an instance that fails several in a row rests.
  // `failed`: by the instance's own fault, not the call's.
  void Report(Instance& instance, bool failed);

  const Load& load() const { return load_; }
  // Shared with the calls that retry, which may outlive the cluster.
  const std::shared_ptr<RetryBudget>& retries() const { return retries_; }

  // Its options have other TLS contexts than `before`.
  void OnTlsChange(const TlsContexts& before);

  // Frees retired instances that are done.
  void Sweep();
  bool has_retired() const { return !retired_.empty(); }
  bool empty() const { return instances_.empty() && retired_.empty(); }
  // The version is routed to no more.
  void Retire();

  uint64_t table_generation() const { return table_generation_; }

 private:
  // Those of them that are not null. REQUIRES: they are in instances_ no more, since the calls that
  // wait for them ask at once for another.
  void Retire(std::vector<std::unique_ptr<Instance>> gone);
  Instance* PickRoundRobin(absl::Span<Instance* const> candidates);
  Instance* PickLeastRequest(absl::Span<Instance* const> candidates);

  transport::Shared& shared_;
  const Options& options_;
  Random& random_;
  uint64_t table_generation_;
  Load load_;
  std::shared_ptr<RetryBudget> retries_;
  routing::v1::LoadBalancing policy_ = routing::v1::LEAST_REQUEST;
  std::shared_ptr<const std::vector<route::InstanceEntry>>
      source_;  // what instances_ was made from
  std::vector<std::unique_ptr<Instance>> instances_;
  std::vector<std::unique_ptr<Instance>> retired_;
  std::vector<Instance*> candidates_;  // scratch of Pick()
};

// All clusters of one worker, by VersionEntry::id.
class Clusters {
 public:
  Clusters(transport::Shared& shared, Options options, uint64_t seed)
      : shared_(shared), options_(std::move(options)), random_(seed) {}

  // For connections from now on. Of those before, the ones that were made with other certificates
  // take no more calls.
  void SetTls(std::shared_ptr<const TlsContexts> tls);

  // The cluster of a version, brought up to the table that the caller uses unless a newer one was
  // here before.
  Cluster& For(const route::VersionEntry& version, uint64_t table_generation);

  // Brings every cluster up to `table`, retires those of versions that it does not have, and frees
  // what is done. False: something retired still has calls; sweep again later.
  bool Sweep(const route::RouteTable& table);
  // Of the table of the last Sweep().
  uint64_t table_generation() const { return table_generation_; }

  const Options& options() const { return options_; }
  Random& random() { return random_; }

 private:
  transport::Shared& shared_;
  Options options_;
  Random random_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  uint64_t table_generation_ = 0;
};

}  // namespace pinion::upstream
