#include "base/repeating_thread.h"

namespace pinion {

void RepeatingThread::Start(absl::Duration pause) {
  // Joined by Stop().
  thread_ = std::thread([thread = this, pause] { thread->Run(pause); });
}

void RepeatingThread::Stop() {
  {
    const MutexLock lock(&mutex_);
    ending_ = true;
    called_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void RepeatingThread::RunSoon() {
  const MutexLock lock(&mutex_);
  asked_ = true;
  called_.Signal();
}

void RepeatingThread::Run(absl::Duration pause) {
  while (Wait(pause)) pause = round_();
}

bool RepeatingThread::Wait(absl::Duration pause) {
  const MutexLock lock(&mutex_);
  // Not in a loop: what wakes it for no reason makes a round early, which rounds must bear anyway.
  if (!asked_ && !ending_ && pause > absl::ZeroDuration()) called_.WaitFor(&mutex_, pause);
  asked_ = false;
  return !ending_;
}

}  // namespace pinion
