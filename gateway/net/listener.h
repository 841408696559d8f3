// Listening sockets. A TCP address is bound once for each worker with SO_REUSEPORT, so that the
// kernel wakes one worker for a connection; a Unix socket is one queue that all workers accept
// from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/net/endpoint.h"
#include "gateway/net/epoll_loop.h"
#include "gateway/net/fd.h"
#include "gateway/net/timer_queue.h"

namespace pinion::net {

// Owns the listening descriptors of one address until each worker has taken its own. Any thread.
class BoundSockets {
 public:
  // Binds and listens `count` times. With port 0 the kernel chooses; endpoint() has the real one.
  // AlreadyExists: somebody listens there already, also a process that would share the port with
  // SO_REUSEPORT. PermissionDenied, NotFound (no such address here), InvalidArgument. Each message
  // names the address and what to do.
  static absl::StatusOr<BoundSockets> Bind(const Endpoint& endpoint, int count);

  BoundSockets(BoundSockets&& other) noexcept;
  BoundSockets& operator=(BoundSockets&&) = delete;
  ~BoundSockets();

  const Endpoint& endpoint() const { return endpoint_; }
  // The caller owns the descriptor.
  int Take();

 private:
  explicit BoundSockets(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  absl::Status BindTcp(int count);
  absl::Status BindUnix(int count);

  Endpoint endpoint_;
  std::vector<int> fds_;
};

// Accepts on one descriptor. One loop's thread.
class Listener final : private FdHandler {
 public:
  // A connected, non-blocking socket, and the address of its other end.
  using Accepted = std::function<void(Fd socket, std::string peer)>;

  // Owns `fd`. Calls `accepted` for each connection, at most limits::kAcceptsPerTurn a turn.
  Listener(EpollLoop& loop, int fd, Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Leaves new connections in the kernel's queue, for example at the connection limit.
  void Pause();
  void Resume();

 private:
  void OnFdEvents(uint32_t events) override;

  EpollLoop& loop_;
  const int fd_;
  Accepted accepted_;
  bool paused_ = false;
  Timer retry_;  // out of descriptors: accepting rests for a moment instead of spinning
};

}  // namespace pinion::net
