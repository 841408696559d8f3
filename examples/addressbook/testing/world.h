// What the test drives: one database file, and a server of each version that can be started and
// stopped under load.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "examples/addressbook/client/caller.h"
#include "examples/addressbook/client/schema.h"
#include "examples/addressbook/testing/process.h"

namespace addressbook {

enum Release { k1 = 0, k2 = 1, k2_1 = 2 };
inline constexpr std::array<Release, 3> kReleases = {k1, k2, k2_1};
// "1.0.0"
const char* VersionOf(Release release);

class World {
 public:
  explicit World(std::string folder);

  const std::string& db() const { return db_; }

  // Starts the version's server and lets callers find it. False: it did not begin to serve.
  bool Start(Release release);

  // Hides the server from new callers, as moving the pins away does, and ends it while those that
  // have it still call it. True: it ended as it should.
  bool Stop(Release release);

  // SIGKILL.
  void Kill(Release release);

  // Null: the version is not running. Thread-safe.
  std::shared_ptr<const Caller> caller(Release release) const;

  // Runs addressbook_migrate and returns its exit code.
  int Migrate(const std::string& step) const;

 private:
  const std::string db_;
  std::array<std::unique_ptr<Schema>, 3> schemas_;
  std::array<std::unique_ptr<Process>, 3> servers_;
  mutable absl::Mutex mutex_;
  std::array<std::shared_ptr<const Caller>, 3> callers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace addressbook
