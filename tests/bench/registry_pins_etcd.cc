// As registry_pins, through one registry and then two on an etcd on loopback, which it starts with
// its data below DIRECTORY. Run by hand:
//   registry_pins_etcd DIRECTORY [MEMBERS] [SECONDS]
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "registry/store/etcd_store.h"
#include "tests/bench/pin_changes.h"
#include "tests/testing/etcd_members.h"

namespace pinion::service {
namespace {

constexpr int kCallers[] = {1, 64, 256};

struct Replica {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Registry> registry;
};

absl::Status Measure(const std::vector<std::string>& endpoints, int seconds) {
  std::vector<Replica> replicas;
  std::vector<Registry*> registries;
  while (replicas.size() < 2) {
    Replica& replica = replicas.emplace_back();
    ASSIGN_OR_RETURN(replica.store, store::OpenEtcdStore({.endpoints = endpoints}, SystemClock()));
    ASSIGN_OR_RETURN(replica.registry, Registry::Open(*replica.store, SystemClock()));
    registries.push_back(replica.registry.get());
    if (replicas.size() == 1) RETURN_IF_ERROR(PreparePins(*replica.registry));
    for (const int callers : kCallers) {
      std::printf("%zu members, %zu registries, ", endpoints.size(), registries.size());
      PrintPinChanges(ChangePins(registries, callers, seconds), callers, seconds);
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace pinion::service

int main(int argc, char** argv) {
  if (argc < 2 || !pinion::testing::EtcdMembers::Installed()) {
    std::fprintf(stderr, argc < 2
                             ? "usage: registry_pins_etcd DIRECTORY [MEMBERS] [SECONDS]\n"
                             : "etcd is not installed; as root: apt-get install etcd-server\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int members = argc > 2 ? std::atoi(argv[2]) : 3;
  const pinion::testing::EtcdMembers etcd(argv[1], members);
  const absl::Status status =
      pinion::service::Measure(etcd.endpoints(), argc > 3 ? std::atoi(argv[3]) : 5);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
