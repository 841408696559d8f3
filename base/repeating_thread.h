// A thread that does the same again and again: when it is due, and when somebody asks.
#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace pinion {

class RepeatingThread {
 public:
  // One round, on the thread; returns after how long the next is due (InfiniteDuration: when
  // somebody asks). Now and then a round comes early.
  using Round = std::function<absl::Duration()>;

  // What the round uses outlives the thread: in the class that owns both this is the last member.
  explicit RepeatingThread(Round round) : round_(std::move(round)) {}
  ~RepeatingThread() { Stop(); }
  RepeatingThread(const RepeatingThread&) = delete;
  RepeatingThread& operator=(const RepeatingThread&) = delete;

  // The owner calls these two, each once at most. The first round is due after `pause`.
  void Start(absl::Duration pause);
  // Waits for the round that runs; no other begins.
  void Stop();

  // A round begins now, or when the one that runs has ended: one for all who ask until then. Before
  // Start() it waits for that, after Stop() it does nothing. Any thread.
  void RunSoon();

 private:
  void Run(absl::Duration pause);
  // False: it is time to end.
  bool Wait(absl::Duration pause);

  const Round round_;

  Mutex mutex_;
  CondVar called_;  // one of the two is set
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // of the owner
};

}  // namespace pinion
