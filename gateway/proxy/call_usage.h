// What one worker counts for the registry: calls by (consumer, version, method) as they begin, and
// those that run by version. A row is made when its three are first seen; from then on a call adds
// to it by their numbers, and allocates nothing. Rows are bounded (limits::kUsageRowsMax); what
// finds none is counted with the version's others, which is never lost. Rows that no call has used
// since the last Take() are given up. Owned by Proxy; its thread.
//
// Calls are counted when they begin, so that a stream of days shows while it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/route/route_table.h"
#include "gateway/route/usage.h"

namespace pinion::proxy {

class CallUsage {
 public:
  // False: nobody asks, and nothing is counted.
  explicit CallUsage(bool counts) : counts_(counts) {}

  // A call of `consumer` (null: unregistered) was routed by `table`. `path`: of its method, without
  // a query. End() must follow.
  void Begin(const route::RouteTable& table, const route::Route& route,
             const route::Consumer* consumer, absl::string_view path, absl::Time now) {
    if (!counts_) return;
    Version& version = VersionOf(*route.version);
    ++version.open;
    Row* row = FindRow(table, route, consumer, path);
    if (row == nullptr) {
      ++version.others;
      version.last_other = now;
      return;
    }
    ++row->calls;
    row->last = now;
  }
  void End(const route::VersionEntry& version) {
    if (counts_) --versions_[version.id].open;
  }

  // What began since the last time, and what runs of versions that are not active in `table`.
  route::Usage Take(const route::RouteTable& table);

 private:
  struct Key {
    uint32_t consumer = 0;  // 0: unregistered
    uint32_t version = 0;
    uint16_t method = 0;  // 0: not known

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.consumer, key.version, key.method);
    }
  };
  struct Row {
    uint64_t calls = 0;
    absl::Time last;
    // Of the last table in which the key's numbers meant these names.
    uint64_t generation = 0;
    std::string consumer;
    std::string method;
  };
  struct Version {
    std::string service;  // empty: no call had this number yet
    std::string name;
    uint64_t open = 0;
    uint64_t others = 0;
    absl::Time last_other;
  };

  Version& VersionOf(const route::VersionEntry& version) {
    if (version.id < versions_.size() && !versions_[version.id].service.empty()) {
      return versions_[version.id];
    }
    return AddVersion(version);
  }
  Version& AddVersion(const route::VersionEntry& version);
  // Null: there is no room, or the row of these numbers is still that of other names.
  Row* FindRow(const route::RouteTable& table, const route::Route& route,
               const route::Consumer* consumer, absl::string_view path) {
    const Key key{consumer == nullptr ? 0 : consumer->id, route.version->id, route.method};
    const auto known = rows_.find(key);
    if (known == rows_.end()) return AddRow(key, table, consumer, path);
    Row& row = known->second;
    return row.generation == table.generation() ? &row : CheckNames(row, table, consumer, path);
  }
  Row* AddRow(const Key& key, const route::RouteTable& table, const route::Consumer* consumer,
              absl::string_view path);
  static Row* CheckNames(Row& row, const route::RouteTable& table, const route::Consumer* consumer,
                         absl::string_view path);

  const bool counts_;
  absl::flat_hash_map<Key, Row> rows_;
  std::vector<Version> versions_;  // by VersionEntry::id
};

}  // namespace pinion::proxy
