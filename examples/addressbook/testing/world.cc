#include "examples/addressbook/testing/world.h"

#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace addressbook {

const char* VersionOf(Release release) {
  static constexpr const char* kVersions[] = {"1.0.0", "2.0.0", "2.1.0"};
  return kVersions[release];
}

World::World(std::string folder) : db_(std::move(folder) + "/addressbook.db") {
  for (const Release release : kReleases) {
    // 2.1.0 has the API of 2.0.0.
    schemas_[release] =
        *Schema::Load(absl::StrCat(ProgramFolder(), release == k1 ? "/v1.binpb" : "/v2.binpb"));
  }
}

bool World::Start(Release release) {
  static constexpr const char* kPrograms[] = {"/addressbook_v1", "/addressbook_v2",
                                              "/addressbook_v2_1"};
  const std::string program = absl::StrCat(ProgramFolder(), kPrograms[release]);
  servers_[release] = std::make_unique<Process>(std::vector<std::string>{program, "--db", db_});
  const std::string address = servers_[release]->ReadAfter("listening on ");
  if (address.empty()) return false;
  // No deadline: how long a call takes says something of the machine, not of the address book.
  auto caller = std::make_shared<Caller>(
      *schemas_[release], CallerOptions{.target = address, .timeout = absl::InfiniteDuration()});
  absl::MutexLock lock(&mutex_);
  callers_[release] = std::move(caller);
  return true;
}

bool World::Stop(Release release) {
  std::shared_ptr<const Caller> caller;
  {
    absl::MutexLock lock(&mutex_);
    caller = std::exchange(callers_[release], nullptr);
  }
  // As a gateway drains an instance: a call that reaches a gRPC server just as it shuts down is
  // cancelled.
  while (caller.use_count() > 1) std::this_thread::yield();
  return servers_[release]->Stop() == 0;
}

void World::Kill(Release release) {
  absl::MutexLock lock(&mutex_);
  callers_[release] = nullptr;
  servers_[release] = nullptr;
}

std::shared_ptr<const Caller> World::caller(Release release) const {
  absl::MutexLock lock(&mutex_);
  return callers_[release];
}

int World::Migrate(const std::string& step) const {
  return RunProgram("addressbook_migrate", {step, "--db", db_}).exit_code;
}

}  // namespace addressbook
