// What a call hears from its upstream side. Implemented by proxy's Call; used on the worker's
// thread.
//
//     Instance::Acquire(caller, until)  ┬▶  OnConnected(connection): connection.Open(…)
//                                       │      ──▶  OnUpstreamEvent…, until it calls Release()
//                                       └▶  OnConnectFailed(…)
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/http2/session.h"

namespace pinion::upstream {

class Connection;
class Instance;

enum class AcquireFailure : unsigned char {
  kConnect,   // the instance could not be reached
  kBarred,    // it takes no calls at all now; Instance::Wait() goes on waiting for it
  kOverload,  // a bound of the version is reached: no instance of it would do
  kPending,   // no stream became free in time
};

class Caller {
 public:
  // A stream is free on this connection now: open it before returning, or let it be.
  virtual void OnConnected(Connection& connection) = 0;

  // Nothing left the gateway. `why` is for people.
  virtual void OnConnectFailed(AcquireFailure failure, absl::string_view why) = 0;

  // Everything that the session has to say of the stream (kHeaders, kInterim, kData, kTrailers,
  // kReset).
  virtual void OnUpstreamEvent(const http2::Event& event) = 0;

  // The request's SendData() was cut short and can go on.
  virtual void OnUpstreamWritable() = 0;

 protected:
  Caller() = default;
  ~Caller() = default;

 private:
  // Place in an instance's queue of waiting calls.
  friend class Instance;
  Instance* waits_for_ = nullptr;
  Caller* previous_ = nullptr;
  Caller* next_ = nullptr;
  absl::Time gives_up_at_;
};

}  // namespace pinion::upstream
