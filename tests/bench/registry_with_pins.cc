// A registry in memory with as many consumers as one wants, each with a pin, for gateways to watch;
// the consumer "billing" is another one. Run by `./dev bench --moves`:
//   registry_with_pins PINS PORT_OF_VERSION_1 PORT_OF_VERSION_2
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/status_macros.h"
#include "registry/service/registry_server.h"
#include "registry/store/memory_store.h"
#include "tests/bench/fill_registry.h"

namespace pinion::service {
namespace {

absl::Status Fill(store::Store& store, int64_t pins, const std::vector<int>& ports) {
  ASSIGN_OR_RETURN(std::unique_ptr<Registry> registry, Registry::Open(store, SystemClock()));
  const Caller caller{"bench"};
  RETURN_IF_ERROR(PublishEcho(*registry, caller, ports));
  RETURN_IF_ERROR(AddConsumers(*registry, caller, pins, /*pin=*/true));
  RETURN_IF_ERROR(AddConsumer(*registry, caller, "billing"));
  return Pin(*registry, caller, "billing", "echo", "^1");
}

absl::Status Serve(int64_t pins, const std::vector<int>& ports) {
  store::MemoryStore store;
  RETURN_IF_ERROR(Fill(store, pins, ports));
  RegistryServerOptions options;
  options.address = "127.0.0.1:0";
  ASSIGN_OR_RETURN(std::unique_ptr<RegistryServer> server,
                   RegistryServer::Start(store, SystemClock(), options));
  std::printf("serving on port %d\n", server->port());
  std::fflush(stdout);
  pause();  // until a signal ends it
  return absl::OkStatus();
}

}  // namespace
}  // namespace pinion::service

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: registry_with_pins PINS PORT_OF_VERSION_1 PORT_OF_VERSION_2\n");
    return 2;
  }
  const absl::Status status =
      pinion::service::Serve(std::atoll(argv[1]), {std::atoi(argv[2]), std::atoi(argv[3])});
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
