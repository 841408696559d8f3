#include "gateway/net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pinion::net {
namespace {

constexpr uint32_t kEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// Small answers leave at once; the gateway batches by itself. Does nothing on a Unix socket.
void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

std::unique_ptr<ByteStream> SocketStream::Connect(EpollLoop& loop, const Endpoint& endpoint) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, ToString(endpoint)));
  if (absl::StatusOr<SocketAddress> literal = ParseLiteral(endpoint); literal.ok()) {
    stream->ConnectTo(*literal);
  } else {
    stream->Resolve(endpoint);
  }
  return stream;
}

std::unique_ptr<ByteStream> SocketStream::Adopt(EpollLoop& loop, int fd, std::string peer) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, std::move(peer)));
  stream->fd_ = fd;
  SetNoDelay(fd);
  if (absl::Status watched = loop.Watch(fd, kEdges, *stream); !watched.ok()) {
    stream->Fail(std::string(watched.message()));
  }
  return stream;
}

SocketStream::~SocketStream() {
  loop_.Unwatch(fd_, *this);
  if (fd_ >= 0) close(fd_);
}

void SocketStream::Resolve(const Endpoint& endpoint) {
  state_ = State::kResolving;
  query_ = loop_.resolver().Resolve(endpoint, [this](absl::StatusOr<SocketAddress> address) {
    if (!address.ok()) return Fail(std::string(address.status().message()));
    ConnectTo(*address);
  });
}

void SocketStream::ConnectTo(const SocketAddress& address) {
  fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Fail(absl::StrCat("socket: ", std::strerror(errno)));
  SetNoDelay(fd_);
  state_ = State::kConnecting;
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(fd_, target, address.length) != 0 && errno != EINPROGRESS) {
    return Fail(std::strerror(errno));
  }
  // A connection made at once is reported by the first edge as well.
  if (absl::Status watched = loop_.Watch(fd_, kEdges, *this); !watched.ok()) {
    Fail(std::string(watched.message()));
  }
}

void SocketStream::FinishConnecting() {
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return Fail(std::strerror(error));
  state_ = State::kOpen;
}

void SocketStream::Fail(std::string error) {
  state_ = State::kFailed;
  error_ = std::move(error);
  readable_ = writable_ = true;
  // Never from within the call that failed: the observer may not be there yet.
  loop_.WakeInNextTurn(*this);
}

void SocketStream::SetObserver(Observer* observer) {
  observer_ = observer;
  if (readable_ || writable_) loop_.WakeInNextTurn(*this);
}

void SocketStream::OnFdEvents(uint32_t events) {
  if (state_ == State::kConnecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    FinishConnecting();
    if (state_ == State::kFailed) return;
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) writable_ = true;
  Deliver();
}

void SocketStream::OnWake() { Deliver(); }

void SocketStream::WakeAgain() {
  readable_ = true;
  loop_.WakeInNextTurn(*this);
}

void SocketStream::Deliver() {
  if (observer_ == nullptr) return;
  const bool writable = std::exchange(writable_, false);
  const bool readable = std::exchange(readable_, false);
  // Reading may destroy this stream, so it comes last.
  if (writable) observer_->OnWritable();
  if (readable) observer_->OnReadable();
}

IoResult SocketStream::Read(absl::Span<uint8_t> into) {
  if (state_ == State::kFailed) return {IoState::kFailed};
  if (state_ != State::kOpen) return {IoState::kBlocked};
  ssize_t count;
  do {
    count = recv(fd_, into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count == 0) return {IoState::kEof};
  if (count < 0) return FailFromErrno();
  // The end of the stream was announced with the last edge; no other will come for it.
  if (hung_up_ && static_cast<size_t>(count) < into.size()) WakeAgain();
  return {IoState::kOk, static_cast<size_t>(count)};
}

IoResult SocketStream::Write(absl::Span<const absl::Span<const uint8_t>> pieces) {
  if (state_ == State::kFailed) return {IoState::kFailed};
  if (state_ != State::kOpen) return {IoState::kBlocked};
  iovec vectors[kWritePiecesMax];
  const size_t used = std::min(pieces.size(), kWritePiecesMax);
  for (size_t i = 0; i < used; ++i) {
    vectors[i] = {const_cast<uint8_t*>(pieces[i].data()), pieces[i].size()};
  }
  const msghdr message{.msg_iov = vectors, .msg_iovlen = used};
  ssize_t count;
  do {
    count = sendmsg(fd_, &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return FailFromErrno();
  return {IoState::kOk, static_cast<size_t>(count)};
}

IoResult SocketStream::FailFromErrno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoState::kBlocked};
  state_ = State::kFailed;
  error_ = std::strerror(errno);
  return {IoState::kFailed};
}

absl::Duration SocketStream::RoundTrip() const {
  tcp_info info;
  socklen_t length = sizeof(info);
  if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return absl::ZeroDuration();
  return absl::Microseconds(info.tcpi_rtt);
}

void SocketStream::FinishSending() {
  if (state_ == State::kOpen) shutdown(fd_, SHUT_WR);
}

}  // namespace pinion::net
