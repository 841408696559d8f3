#include "gateway/net/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/limits.h"
#include "gateway/net/epoll_loop.h"

namespace pinion::net {
namespace {

absl::StatusOr<SocketAddress> UnixAddress(const std::string& path) {
  SocketAddress address;
  auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof(un->sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("the path of a Unix socket has at most ",
                                                   sizeof(un->sun_path) - 1, " bytes: ", path));
  }
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  address.length = sizeof(sockaddr_un);
  return address;
}

void SetPort(SocketAddress& address, uint16_t port) {
  if (address.storage.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  }
}

}  // namespace

absl::StatusOr<SocketAddress> ParseLiteral(const Endpoint& endpoint) {
  if (!endpoint.path.empty()) return UnixAddress(endpoint.path);
  SocketAddress address;
  auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, endpoint.host.c_str(), &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    address.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, endpoint.host.c_str(), &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    address.length = sizeof(sockaddr_in6);
  } else {
    return absl::InvalidArgumentError(absl::StrCat(endpoint.host, " is not an IP address"));
  }
  SetPort(address, endpoint.port);
  return address;
}

std::string ToString(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
    return absl::StrCat(text, ":", ntohs(in->sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
    return absl::StrCat("[", text, "]:", ntohs(in6->sin6_port));
  }
  return "unix:";
}

// c-ares in the loop: its sockets are watched as it asks, its timeouts are one timer.
class Resolver::Channel {
 public:
  explicit Channel(EpollLoop& loop)
      : loop_(loop),
        timer_(
            loop.timers(), [](void* self) { static_cast<Channel*>(self)->OnTimer(); }, this) {
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    ares_options options{};
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<Channel*>(self)->OnSocketState(fd, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    options.timeout = static_cast<int>(limits::kDnsTimeoutMilliseconds);
    options.tries = limits::kDnsTries;
    ready_ = ares_init_options(&channel_, &options,
                               ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) ==
             ARES_SUCCESS;
  }

  ~Channel() {
    if (ready_) ares_destroy(channel_);
  }

  void Lookup(const Endpoint& endpoint, std::shared_ptr<Callback> callback) {
    if (!ready_) {
      return Later(std::move(callback), absl::InternalError("the DNS resolver did not start"));
    }
    // style: allow raw-new, c-ares hands it back in OnAnswer, which deletes it
    auto* lookup = new LookupState{this, endpoint, std::move(callback)};
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, endpoint.host.c_str(), nullptr, &hints, &Channel::OnAnswer, lookup);
    ArmTimer();
  }

 private:
  // Owned by the running query; c-ares always calls back, also when the channel is destroyed.
  struct LookupState {
    Channel* channel;
    Endpoint endpoint;
    std::shared_ptr<Callback> callback;
  };

  struct Socket final : FdHandler {
    Channel* channel;
    ares_socket_t fd;
    void OnFdEvents(uint32_t events) override {
      Channel* const owner = channel;
      const ares_socket_t socket = fd;
      owner->Process((events & ~EPOLLOUT) != 0 ? socket : ARES_SOCKET_BAD,
                     (events & EPOLLOUT) != 0 ? socket : ARES_SOCKET_BAD);
    }
  };

  static void OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* result) {
    std::unique_ptr<LookupState> lookup(static_cast<LookupState*>(argument));
    if (status == ARES_EDESTRUCTION) return;
    absl::StatusOr<SocketAddress> answer = absl::UnavailableError(
        absl::StrCat("DNS: ", lookup->endpoint.host, ": ", ares_strerror(status)));
    if (status == ARES_SUCCESS) answer = lookup->channel->Choose(*result, lookup->endpoint.port);
    if (result != nullptr) ares_freeaddrinfo(result);
    lookup->channel->Later(std::move(lookup->callback), std::move(answer));
  }

  absl::StatusOr<SocketAddress> Choose(const ares_addrinfo& result, uint16_t port) {
    std::vector<const ares_addrinfo_node*> nodes;
    for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
      if (node->ai_family == AF_INET || node->ai_family == AF_INET6) nodes.push_back(node);
    }
    if (nodes.empty()) return absl::UnavailableError("DNS: the name has no address");
    const ares_addrinfo_node* node = nodes[turn_++ % nodes.size()];
    SocketAddress address;
    address.length = std::min<socklen_t>(node->ai_addrlen, sizeof(address.storage));
    std::memcpy(&address.storage, node->ai_addr, address.length);
    SetPort(address, port);
    return address;
  }

  // From a fresh stack: the caller of Resolve() has not got its Query yet, and c-ares must not be
  // re-entered.
  void Later(std::shared_ptr<Callback> callback, absl::StatusOr<SocketAddress> answer) {
    loop_.Post([callback = std::move(callback), answer = std::move(answer)] {
      if (*callback != nullptr) {
        const Callback call = *callback;
        call(answer);
      }
    });
  }

  void OnSocketState(ares_socket_t fd, bool readable, bool writable) {
    auto found = sockets_.find(fd);
    if (!readable && !writable) {
      if (found == sockets_.end()) return;
      loop_.Unwatch(fd, *found->second);
      sockets_.erase(found);
      return;
    }
    const uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
    if (found != sockets_.end()) return loop_.Rewatch(fd, events, *found->second);
    auto socket = std::make_unique<Socket>();
    socket->channel = this;
    socket->fd = fd;
    if (loop_.Watch(fd, events, *socket).ok()) sockets_[fd] = std::move(socket);
  }

  void Process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    ArmTimer();
  }

  void OnTimer() { Process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

  void ArmTimer() {
    timeval next{};
    const timeval* wait = ares_timeout(channel_, nullptr, &next);
    if (wait == nullptr) return timer_.Cancel();
    timer_.Arm(loop_.now() + absl::DurationFromTimeval(*wait));
  }

  EpollLoop& loop_;
  Timer timer_;
  ares_channel channel_ = nullptr;
  bool ready_ = false;
  size_t turn_ = 0;
  absl::flat_hash_map<ares_socket_t, std::unique_ptr<Socket>> sockets_;
};

Resolver::Resolver(EpollLoop& loop) : channel_(std::make_unique<Channel>(loop)) {}
Resolver::~Resolver() = default;

std::unique_ptr<Resolver::Query> Resolver::Resolve(const Endpoint& endpoint, Callback callback) {
  auto query = std::make_unique<Query>(std::move(callback));
  channel_->Lookup(endpoint, query->callback);
  return query;
}

}  // namespace pinion::net
