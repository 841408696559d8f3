#include "gateway/net/epoll_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "gateway/net/resolver.h"
#include "gateway/net/socket_stream.h"

namespace pinion::net {
namespace {

// Events fetched by one epoll_wait(): a busy worker takes the rest in its next turn.
constexpr int kEventsPerTurn = 256;

}  // namespace

struct EpollLoop::Fetched {
  epoll_event events[kEventsPerTurn];
  int count = 0;
};

absl::StatusOr<std::unique_ptr<EpollLoop>> EpollLoop::Create(const Clock& clock) {
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) return absl::ErrnoToStatus(errno, "epoll_create1");
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    const int error = errno;
    close(epoll_fd);
    return absl::ErrnoToStatus(error, "eventfd");
  }
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) == 0);
  return std::unique_ptr<EpollLoop>(new EpollLoop(clock, epoll_fd, wake_fd));
}

EpollLoop::EpollLoop(const Clock& clock, int epoll_fd, int wake_fd)
    : clock_(clock), epoll_fd_(epoll_fd), wake_fd_(wake_fd), fetched_(new Fetched) {
  set_now(clock_.Monotonic());
}

EpollLoop::~EpollLoop() {
  resolver_.reset();
  close(wake_fd_);
  close(epoll_fd_);
}

std::unique_ptr<ByteStream> EpollLoop::Connect(const Endpoint& endpoint) {
  return SocketStream::Connect(*this, endpoint);
}

std::unique_ptr<ByteStream> EpollLoop::Adopt(int fd, std::string peer) {
  return SocketStream::Adopt(*this, fd, std::move(peer));
}

void EpollLoop::Post(std::function<void()> work) {
  bool first;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    first = posted_.empty();
    posted_.push_back(std::move(work));
  }
  const uint64_t one = 1;
  if (first) CHECK(write(wake_fd_, &one, sizeof(one)) == sizeof(one));
}

void EpollLoop::Run() {
  while (true) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (std::exchange(stopped_, false)) return;
    }
    Turn();
  }
}

void EpollLoop::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  Post([] {});
}

void EpollLoop::Close() {
  std::vector<std::function<void()>> dropped;  // ends after the lock: it may post in its turn
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(posted_);
}

void EpollLoop::Turn() {
  const int count = epoll_wait(epoll_fd_, fetched_->events, kEventsPerTurn, WaitMilliseconds());
  CHECK(count >= 0 || errno == EINTR);
  set_now(clock_.Monotonic());
  DispatchEvents(std::max(count, 0));
  RunWakes();
  RunPosted();
  timers().RunDue(now());
  FinishTurn();
}

int EpollLoop::WaitMilliseconds() const {
  if (!wakes_.empty()) return 0;
  const absl::Time next = const_cast<EpollLoop*>(this)->timers().next();
  if (next == absl::InfiniteFuture()) return -1;
  const absl::Duration wait = next - clock_.Monotonic();
  if (wait <= absl::ZeroDuration()) return 0;
  // Rounded up, or the last fraction of a millisecond would be spent spinning.
  return static_cast<int>(
      std::min<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1))), 60000));
}

void EpollLoop::DispatchEvents(int count) {
  fetched_->count = count;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = fetched_->events[i];
    if (event.data.ptr == nullptr) continue;  // the wake-up, or an unwatched handler
    static_cast<FdHandler*>(event.data.ptr)->OnFdEvents(event.events);
  }
  fetched_->count = 0;
}

void EpollLoop::RunWakes() {
  waking_.swap(wakes_);
  for (size_t i = 0; i < waking_.size(); ++i) {
    if (waking_[i] != nullptr) waking_[i]->OnWake();
  }
  waking_.clear();
}

void EpollLoop::RunPosted() {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (posted_.empty()) return;
    work.swap(posted_);
    // Read under the lock: a Post() after this writes again, so no wake-up is lost.
    uint64_t ignored;
    while (read(wake_fd_, &ignored, sizeof(ignored)) > 0) {
    }
  }
  for (std::function<void()>& each : work) each();
}

absl::Status EpollLoop::Watch(int fd, uint32_t events, FdHandler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("epoll_ctl for fd ", fd));
}

void EpollLoop::Rewatch(int fd, uint32_t events, FdHandler& handler) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EpollLoop::Unwatch(int fd, FdHandler& handler) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (int i = 0; i < fetched_->count; ++i) {
    if (fetched_->events[i].data.ptr == &handler) fetched_->events[i].data.ptr = nullptr;
  }
  std::replace(wakes_.begin(), wakes_.end(), &handler, static_cast<FdHandler*>(nullptr));
  std::replace(waking_.begin(), waking_.end(), &handler, static_cast<FdHandler*>(nullptr));
}

void EpollLoop::WakeInNextTurn(FdHandler& handler) {
  if (std::find(wakes_.begin(), wakes_.end(), &handler) == wakes_.end()) wakes_.push_back(&handler);
}

Resolver& EpollLoop::resolver() {
  if (resolver_ == nullptr) resolver_ = std::make_unique<Resolver>(*this);
  return *resolver_;
}

}  // namespace pinion::net
