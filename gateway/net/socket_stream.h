// A TCP or Unix socket as a ByteStream, from the start of its connection or from accept() on. One
// thread.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>

#include "gateway/net/byte_stream.h"
#include "gateway/net/endpoint.h"
#include "gateway/net/epoll_loop.h"
#include "gateway/net/resolver.h"

namespace pinion::net {

class SocketStream final : public ByteStream, private FdHandler {
 public:
  static std::unique_ptr<ByteStream> Connect(EpollLoop& loop, const Endpoint& endpoint);
  static std::unique_ptr<ByteStream> Adopt(EpollLoop& loop, int fd, std::string peer);
  ~SocketStream() override;

  void SetObserver(Observer* observer) override;
  IoResult Read(absl::Span<uint8_t> into) override;
  IoResult Write(absl::Span<const absl::Span<const uint8_t>> pieces) override;
  void WakeAgain() override;
  void FinishSending() override;
  absl::Duration RoundTrip() const override;
  std::string error() const override { return error_; }
  const std::string& peer() const override { return peer_; }

 private:
  // kResolving → kConnecting → kOpen; any → kFailed
  enum class State : uint8_t { kResolving, kConnecting, kOpen, kFailed };

  SocketStream(EpollLoop& loop, std::string peer) : loop_(loop), peer_(std::move(peer)) {}

  void OnFdEvents(uint32_t events) override;
  void OnWake() override;

  void Resolve(const Endpoint& endpoint);
  void ConnectTo(const SocketAddress& address);
  void FinishConnecting();
  void Fail(std::string error);
  IoResult FailFromErrno();
  void Deliver();

  EpollLoop& loop_;
  std::string peer_;
  std::string error_;
  Observer* observer_ = nullptr;
  int fd_ = -1;
  State state_ = State::kOpen;
  bool readable_ = false;  // an edge that the observer has not heard
  bool writable_ = false;
  bool hung_up_ = false;  // the end of the peer's side waits behind what can still be read
  std::unique_ptr<Resolver::Query> query_;
};

}  // namespace pinion::net
