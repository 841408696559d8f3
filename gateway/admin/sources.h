// What the admin port shows, asked for anew at each request. Everything the port knows comes from
// here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/admin/metric.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::admin {

// The route table that new calls use.
struct TableStatus {
  bool in_place = false;  // false: none yet, and the rest means nothing
  uint64_t revision = 0;
  absl::Duration age;  // since it was put in place
  std::string source;  // `static`, `registry`, `snapshot`
  std::string
      registry;  // how the registry is, for people (`connected`, `away for 3m`); empty without one
  bool frozen = false;  // nobody says that the table is the registry's; `registry` says why
  std::string warning;  // what is wrong although the registry is followed; empty: nothing
  uint64_t services = 0;
  uint64_t versions = 0;
  uint64_t instances = 0;
  uint64_t consumers = 0;
  uint64_t pins = 0;
};

// The registry of this process.
struct RegistryStatus {
  std::string id;
  std::string store;  // as it describes itself to people
  int64_t revision = 0;
  int64_t watchers = 0;  // gateways
  std::string problem;   // why it answers nobody; empty: it does
  std::string warning;   // what is wrong although it answers; empty: nothing
};

// Called on the admin port's own thread while the server lives, so what they capture outlives it.
// They must neither block for long, since other requests wait meanwhile, nor throw. `bootstrap` and
// `metrics` may not be empty.
struct Sources {
  // The configuration in force.
  std::function<config::v1::Bootstrap()> bootstrap;
  // Empty, as `draining` and `accept`: there is no gateway in this process.
  std::function<TableStatus()> table;
  std::function<std::vector<MetricFamily>()> metrics;
  // The process finishes its calls and takes no new ones.
  std::function<bool()> draining;
  // An operator's word that what this registry says is taken over although it was refused. Not OK:
  // it was not, and why.
  std::function<absl::Status(const std::string& registry_id)> accept;
  // Empty: there is no registry in this process.
  std::function<RegistryStatus()> registry = {};
};

}  // namespace pinion::admin
