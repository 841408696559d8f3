// The production event loop: epoll, edge-triggered, one a worker. Sockets and the resolver register
// here. Everything but Post() and Stop() belongs to the thread that calls Run().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "gateway/net/event_loop.h"

namespace pinion::net {

class Resolver;

// Something with a file descriptor in the loop.
class FdHandler {
 public:
  // `events`: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
  virtual void OnFdEvents(uint32_t events) = 0;

  // A turn that was asked for with EpollLoop::WakeInNextTurn().
  virtual void OnWake() {}

 protected:
  ~FdHandler() = default;
};

class EpollLoop final : public EventLoop {
 public:
  // ResourceExhausted: no file descriptors left. `clock` outlives the loop.
  static absl::StatusOr<std::unique_ptr<EpollLoop>> Create(const Clock& clock);
  ~EpollLoop() override;

  std::unique_ptr<ByteStream> Connect(const Endpoint& endpoint) override;
  void Post(std::function<void()> work) override;

  // A stream over a connected, non-blocking socket, which it owns from now on.
  std::unique_ptr<ByteStream> Adopt(int fd, std::string peer);

  // Turns until Stop(), which ends one Run().
  void Run();
  void Stop();
  // After the last Run(), on its thread: what was posted and has not run is dropped, and so is what
  // is posted from now on.
  void Close();

  // ---- for net's own parts ----

  absl::Status Watch(int fd, uint32_t events, FdHandler& handler);
  void Rewatch(int fd, uint32_t events, FdHandler& handler);
  // `handler` hears nothing more, also not of events that this turn has already fetched. The caller
  // closes `fd`.
  void Unwatch(int fd, FdHandler& handler);
  void WakeInNextTurn(FdHandler& handler);
  Resolver& resolver();

 private:
  EpollLoop(const Clock& clock, int epoll_fd, int wake_fd);

  void Turn();
  int WaitMilliseconds() const;
  void DispatchEvents(int count);
  void RunWakes();
  void RunPosted();

  struct Fetched;

  const Clock& clock_;
  const int epoll_fd_;
  const int wake_fd_;
  std::unique_ptr<Fetched> fetched_;
  std::vector<FdHandler*> wakes_;
  std::vector<FdHandler*> waking_;
  std::unique_ptr<Resolver> resolver_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
  bool stopped_ = false;                       // guarded by mutex_
  bool closed_ = false;                        // guarded by mutex_
};

}  // namespace pinion::net
