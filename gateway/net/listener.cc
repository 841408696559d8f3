#include "gateway/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "gateway/limits.h"
#include "gateway/net/fd.h"
#include "gateway/net/resolver.h"

namespace pinion::net {
namespace {

absl::Status BindError(const Endpoint& endpoint, int error) {
  const std::string where = ToString(endpoint);
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(
          absl::StrCat("cannot listen on ", where,
                       ": the address is in use; stop the other process or choose another port"));
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat("cannot listen on ", where,
                       ": permission denied; ports below 1024 need the privilege to bind them"));
    case EADDRNOTAVAIL:
      return absl::NotFoundError(
          absl::StrCat("cannot listen on ", where, ": this machine has no such address"));
    default:
      return absl::ErrnoToStatus(error, absl::StrCat("cannot listen on ", where));
  }
}

absl::StatusOr<Fd> ListenTcp(const Endpoint& endpoint, const SocketAddress& address, bool share) {
  Fd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (share) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (bind(fd.get(), target, address.length) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return BindError(endpoint, errno);
  }
  return fd;
}

absl::StatusOr<uint16_t> LocalPort(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  return ntohs(address.storage.ss_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port
                   : reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
}

// A socket file that nobody listens on is what a killed process left behind.
void RemoveStaleSocket(const std::string& path, const SocketAddress& address) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(probe.get(), target, address.length) != 0 && errno == ECONNREFUSED) {
    unlink(path.c_str());
  }
}

}  // namespace

absl::StatusOr<BoundSockets> BoundSockets::Bind(const Endpoint& endpoint, int count) {
  BoundSockets bound(endpoint);
  RETURN_IF_ERROR(endpoint.path.empty() ? bound.BindTcp(count) : bound.BindUnix(count));
  return bound;
}

BoundSockets::BoundSockets(BoundSockets&& other) noexcept
    : endpoint_(std::move(other.endpoint_)), fds_(std::move(other.fds_)) {
  other.fds_.clear();
}

BoundSockets::~BoundSockets() {
  for (int fd : fds_) close(fd);
}

int BoundSockets::Take() {
  CHECK(!fds_.empty());
  const int fd = fds_.back();
  fds_.pop_back();
  return fd;
}

absl::Status BoundSockets::BindTcp(int count) {
  ASSIGN_OR_RETURN(SocketAddress address, ParseLiteral(endpoint_));
  {
    // Without SO_REUSEPORT first: with it, a second gateway would silently share the port with the
    // first.
    ASSIGN_OR_RETURN(Fd probe, ListenTcp(endpoint_, address, /*share=*/false));
    ASSIGN_OR_RETURN(endpoint_.port, LocalPort(probe.get()));
  }
  ASSIGN_OR_RETURN(address, ParseLiteral(endpoint_));
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Fd fd, ListenTcp(endpoint_, address, /*share=*/true));
    fds_.push_back(fd.Release());
  }
  return absl::OkStatus();
}

absl::Status BoundSockets::BindUnix(int count) {
  ASSIGN_OR_RETURN(SocketAddress address, ParseLiteral(endpoint_));
  RemoveStaleSocket(endpoint_.path, address);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return absl::ErrnoToStatus(errno, "socket");
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (bind(fd.get(), target, address.length) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return BindError(endpoint_, errno);
  }
  for (int i = 1; i < count; ++i) {
    const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return absl::ErrnoToStatus(errno, "dup");
    fds_.push_back(copy);
  }
  fds_.push_back(fd.Release());
  return absl::OkStatus();
}

Listener::Listener(EpollLoop& loop, int fd, Accepted accepted)
    : loop_(loop),
      fd_(fd),
      accepted_(std::move(accepted)),
      retry_(
          loop.timers(), [](void* self) { static_cast<Listener*>(self)->Resume(); }, this) {
  CHECK(loop_.Watch(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this).ok());
}

Listener::~Listener() {
  loop_.Unwatch(fd_, *this);
  close(fd_);
}

// An EPOLLEXCLUSIVE registration cannot be modified, so pausing takes it out.
void Listener::Pause() {
  if (std::exchange(paused_, true)) return;
  loop_.Unwatch(fd_, *this);
}

void Listener::Resume() {
  if (!std::exchange(paused_, false)) return;
  CHECK(loop_.Watch(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this).ok());
}

void Listener::OnFdEvents(uint32_t /*events*/) {
  for (int i = 0; i < limits::kAcceptsPerTurn && !paused_; ++i) {
    SocketAddress peer;
    peer.length = sizeof(peer.storage);
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted_(Fd(fd), ToString(peer));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      Pause();
      retry_.Arm(loop_.now() + absl::Milliseconds(limits::kAcceptRetryMilliseconds));
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

}  // namespace pinion::net
