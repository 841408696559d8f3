// The turn of a worker: wait, deliver edges and posted work, fire timers, run what was asked for
// the end of the turn (connections flush there, once), delete what was put aside. Production:
// EpollLoop. Tests and simulation: a seeded loop on virtual time. Everything but Post() belongs to
// the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/net/byte_stream.h"
#include "gateway/net/endpoint.h"
#include "gateway/net/timer_queue.h"

namespace pinion::net {

// Something to do once at the end of this turn, however often it was asked for. Unschedules itself
// when destroyed.
class TurnTask {
 public:
  virtual void RunAtEndOfTurn() = 0;

 protected:
  TurnTask() = default;
  ~TurnTask();
  TurnTask(const TurnTask&) = delete;
  TurnTask& operator=(const TurnTask&) = delete;

 private:
  friend class EventLoop;
  class EventLoop* scheduled_in_ = nullptr;
};

// What may be put aside for deletion while callbacks of it are still on the stack.
class Deferred {
 public:
  virtual ~Deferred() = default;
};

class EventLoop {
 public:
  virtual ~EventLoop() = default;

  // Monotonic; the same for the whole turn.
  absl::Time now() const { return now_; }

  TimerQueue& timers() { return timers_; }

  // Begins to connect. Never null; failures show on the stream (see ByteStream::Observer). DNS
  // names are resolved afresh for each connection.
  virtual std::unique_ptr<ByteStream> Connect(const Endpoint& endpoint) = 0;

  // Runs `work` on the loop's thread in a coming turn, in order. Any thread. Work still queued when
  // the loop ends is dropped.
  virtual void Post(std::function<void()> work) = 0;

  void AtEndOfTurn(TurnTask& task);
  void DeleteLater(std::unique_ptr<Deferred> object);

 protected:
  // For implementations: sets now(), and ends a turn. Tasks that tasks schedule run in the same
  // turn.
  void set_now(absl::Time now) { now_ = now; }
  void FinishTurn();

 private:
  friend class TurnTask;
  void Unschedule(TurnTask& task);

  absl::Time now_;
  TimerQueue timers_;
  std::vector<TurnTask*> tasks_;
  std::vector<std::unique_ptr<Deferred>> deferred_;
};

}  // namespace pinion::net
