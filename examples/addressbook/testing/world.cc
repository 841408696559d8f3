#include "examples/addressbook/testing/world.h"

#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace addressbook {

World::World(std::string folder) : db_(std::move(folder) + "/addressbook.db") {
  for (const Major major : {k1, k2}) {
    schemas_[major] = *Schema::Load(absl::StrCat(ProgramFolder(), "/v", major + 1, ".binpb"));
  }
}

bool World::Start(Major major) {
  const std::string program = absl::StrCat(ProgramFolder(), "/addressbook_v", major + 1);
  servers_[major] = std::make_unique<Process>(std::vector<std::string>{program, "--db", db_});
  const std::string address = servers_[major]->ReadAfter("listening on ");
  if (address.empty()) return false;
  // No deadline: how long a call takes says something of the machine, not of the address book.
  auto caller = std::make_shared<Caller>(
      *schemas_[major], CallerOptions{.target = address, .timeout = absl::InfiniteDuration()});
  absl::MutexLock lock(&mutex_);
  callers_[major] = std::move(caller);
  return true;
}

bool World::Stop(Major major) {
  std::shared_ptr<const Caller> caller;
  {
    absl::MutexLock lock(&mutex_);
    caller = std::exchange(callers_[major], nullptr);
  }
  // As a gateway drains an instance: a call that reaches a gRPC server just as it shuts down is
  // cancelled.
  while (caller.use_count() > 1) std::this_thread::yield();
  return servers_[major]->Stop() == 0;
}

void World::Kill(Major major) {
  absl::MutexLock lock(&mutex_);
  callers_[major] = nullptr;
  servers_[major] = nullptr;
}

std::shared_ptr<const Caller> World::caller(Major major) const {
  absl::MutexLock lock(&mutex_);
  return callers_[major];
}

int World::Migrate(const std::string& step) const {
  return RunProgram("addressbook_migrate", {step, "--db", db_}).exit_code;
}

}  // namespace addressbook
