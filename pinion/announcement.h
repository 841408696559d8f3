// What a started program says on standard output, for people and for programs that wait for it:
//
//   listening name=ingress address=127.0.0.1:8080
//   registry address=127.0.0.1:8081
//   ready
//
// A line is written at once. Thread-safe.
#pragma once

#include <iosfwd>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gateway/worker/gateway.h"

namespace pinion {

class Announcement {
 public:
  explicit Announcement(std::ostream& out) : out_(out) {}

  void Line(absl::string_view line);
  void Listeners(const std::vector<worker::BoundListener>& listeners);

  // "ready" comes after the addresses, whichever of the two is known first.
  void AddressesSaid();
  void Ready();

 private:
  void SayReadyIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::ostream& out_ ABSL_GUARDED_BY(mutex_);
  bool addresses_said_ ABSL_GUARDED_BY(mutex_) = false;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pinion
