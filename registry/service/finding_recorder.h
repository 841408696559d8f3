// Writes down what checks have found: in the store, many in one revision, and in the log.
//
//   checking threads ──Add()──▶ what waits ──due──▶ [thread] ──a transaction──▶ store
//                                                      └───────some lines──────▶ log
//
// What changes who gets calls is due at once, and takes along what waits; the rest is due when it
// fills a transaction, and after Options::delay at the latest. So a wave of thousands of instances
// that cannot be reached is some hundred revisions, and one that has drifted waits for nobody.
// Owned by InstanceChecker; thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "registry/service/check_log.h"
#include "registry/service/instance_findings.h"
#include "registry/service/registry.h"

namespace pinion::service {

class FindingRecorder {
 public:
  struct Options {
    // How long what only people are told of may wait for others.
    absl::Duration delay = absl::Seconds(1);
    // How soon it notices where the registry's clock is.
    absl::Duration period = absl::Seconds(1);
  };
  // Beyond so many that wait Add() blocks: checks are not to run ahead of the store for long.
  static constexpr size_t kWaitingMax = 4096;

  // `taken_over` is told how an instance stands afterwards, changed or not, on the recorder's
  // thread or Record()'s. The registry outlives it.
  FindingRecorder(Registry& registry, const Options& options,
                  std::function<void(const registry::v1::Instance&)> taken_over);
  // What still waits is dropped: whoever checks next finds it again.
  ~FindingRecorder();
  FindingRecorder(const FindingRecorder&) = delete;
  FindingRecorder& operator=(const FindingRecorder&) = delete;

  // Takes nothing any more.
  void Stop();

  // Of an instance that waits already the last word counts. What the store does not take is
  // dropped, as the next check finds it again.
  void Add(News news, Effect effect);
  // The instance was found as it stands: what waits of it is wrong.
  void Withdraw(const std::string& uid);

  // How many wait.
  int64_t waiting();

  // At once, on the caller's thread; how the instance stands then. NotFound: it is gone.
  absl::StatusOr<registry::v1::Instance> Record(const News& news);

 private:
  void Run();
  // What is due, and what fits in beside it: what concerns calls first, then in the order of its
  // coming.
  std::vector<News> TakeDue(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time NextDue(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<absl::StatusOr<registry::v1::Instance>> Write(absl::Span<const News> news);
  void Complain(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Waiting {
    News news;
    absl::Time due;
  };

  Registry& registry_;
  const Options options_;
  const std::function<void(const registry::v1::Instance&)> taken_over_;

  Mutex mutex_;
  CondVar due_;   // something, or the end
  CondVar room_;  // for what Add() has, or the end
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<std::string, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);  // by uid
  // Of all that wait, and of some that do not any more.
  std::deque<std::string> order_ ABSL_GUARDED_BY(mutex_);
  CheckLog log_ ABSL_GUARDED_BY(mutex_);
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace pinion::service
