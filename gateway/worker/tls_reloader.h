// Keeps the TLS contexts of a process up to date: reads the files again when one of them has
// changed or somebody asks, and rotates the ticket keys. Files that are not good change nothing but
// the log and a count, so that a key that arrives a moment after its certificate does no harm.
// Thread-safe; owned by Gateway.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/repeating_thread.h"
#include "gateway/worker/settings.h"
#include "gateway/worker/tls_set.h"

namespace pinion::worker {

// For the admin port.
struct TlsStatus {
  uint64_t reloads = 0;   // times that other files were put in force
  uint64_t failures = 0;  // times that files had changed and were not good
  std::string problem;    // of the last time; empty: what the files hold is in force
  // When the first certificate of each listener with TLS expires, by the listener's name, and of
  // those shown to instances under "upstream".
  std::vector<std::pair<std::string, absl::Time>> expiries;
};

class TlsReloader {
 public:
  // Called by the thread that looks, once for each new set and never for the first.
  using InForce = std::function<void(std::shared_ptr<const TlsSet>)>;

  // Reads the files; errors as LoadTls(). `settings` and `clock` outlive the reloader.
  static absl::StatusOr<std::unique_ptr<TlsReloader>> Start(const Settings& settings,
                                                            const Clock& clock, InForce in_force);
  TlsReloader(const TlsReloader&) = delete;
  TlsReloader& operator=(const TlsReloader&) = delete;

  std::shared_ptr<const TlsSet> current() const;

  // A thread of its own looks every limits::kTlsLookInterval from now on, and when asked. Nothing
  // without files. Once.
  void LookFromNowOn();
  // Soon, and whatever the files' times say.
  void LookSoon();
  // At once, on this thread; `anyway`: whatever the files' times say. Not beside LookFromNowOn().
  void Look(bool anyway);

  TlsStatus status() const;

 private:
  // What stat() says of a file: enough to see that it was replaced, also behind a symbolic link.
  struct FileMark {
    uint64_t inode = 0;
    int64_t size = -1;  // -1: not there
    int64_t changed_nanoseconds = 0;
    bool operator==(const FileMark&) const = default;
  };

  TlsReloader(const Settings& settings, const Clock& clock, InForce in_force);
  std::vector<FileMark> Marks() const;
  void PutInForce(std::shared_ptr<const TlsSet> set);
  void Fail(const absl::Status& status);

  const Settings& settings_;
  const Clock& clock_;
  const InForce in_force_;
  const std::vector<std::string> files_;

  std::atomic<bool> asked_{false};  // by LookSoon()

  // ---- of whoever looks ----
  std::vector<FileMark> seen_;
  bool failed_ = false;  // the last look that read them
  std::shared_ptr<const net::TlsTicketKeys> tickets_;
  absl::Time rotated_;

  mutable Mutex mutex_;
  std::shared_ptr<const TlsSet> current_ ABSL_GUARDED_BY(mutex_);
  uint64_t reloads_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string problem_ ABSL_GUARDED_BY(mutex_);

  RepeatingThread thread_;
};

}  // namespace pinion::worker
