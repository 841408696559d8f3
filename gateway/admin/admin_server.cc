#include "gateway/admin/admin_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/address.h"
#include "base/clock.h"
#include "gateway/observability_limits.h"

namespace pinion::admin {
namespace {

constexpr absl::Duration kStopPatience = absl::Milliseconds(100);

}  // namespace

class AdminServer::Impl {
 public:
  Impl(const routing::v1::Address& address, Sources sources)
      : pages_(std::move(sources)),
        host_(address.socket_address().address()),
        port_(address.socket_address().port_value()) {}

  // What libmicrohttpd (0.9.75) finds fault with while it stops, it wants to answer with a response
  // that it may no longer make, and follows a null pointer. So it takes no more connections, and
  // gets a moment for those that it has.
  ~Impl() {
    if (daemon_ == nullptr) return;
    const MHD_socket listener = MHD_quiesce_daemon(daemon_);
    const absl::Time give_up = SystemClock().Monotonic() + kStopPatience;
    while (connections() > 0 && SystemClock().Monotonic() < give_up) std::this_thread::yield();
    MHD_stop_daemon(daemon_);
    // Not earlier: until it has ended, its thread may still look at the socket.
    if (listener != MHD_INVALID_SOCKET) close(listener);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  absl::Status Start() {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host_.c_str(), absl::StrCat(port_).c_str(), &hints, &found);
        error != 0) {
      return CannotListen(gai_strerror(error));
    }
    const unsigned v6 = found->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0;
    daemon_ = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_USE_EPOLL | MHD_USE_ERROR_LOG | v6, 0,
        nullptr, nullptr, &OnRequest, this,
        // First, so that it hears of everything.
        MHD_OPTION_EXTERNAL_LOGGER, &OnLog, this, MHD_OPTION_SOCK_ADDR, found->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, limits::kAdminConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT,
        limits::kAdminIdleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        limits::kAdminConnectionBytesMax, MHD_OPTION_END);
    freeaddrinfo(found);
    return daemon_ == nullptr ? CannotListen(start_error_) : absl::OkStatus();
  }

  unsigned connections() const {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
  }

  int port() const { return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port; }

  std::string address() const { return AddressText(host_, static_cast<uint32_t>(port())); }

 private:
  absl::Status CannotListen(absl::string_view why) const {
    return absl::FailedPreconditionError(
        absl::StrCat("admin cannot listen on ", AddressText(host_, port_), ": ", why));
  }

  // libmicrohttpd's log: the reason why it does not start (`Failed to bind to port 80: Permission
  // denied`), and afterwards, on its own thread, the faults of clients, which concern nobody here.
  static void OnLog(void* self, const char* format, va_list arguments) {
    char text[256];
    std::vsnprintf(text, sizeof(text), format, arguments);
    absl::string_view reason = absl::StripTrailingAsciiWhitespace(text);
    if (const size_t colon = reason.rfind(": "); colon != reason.npos)
      reason.remove_prefix(colon + 2);
    auto& impl = *static_cast<Impl*>(self);
    if (impl.start_error_.empty()) impl.start_error_ = std::string(reason);
  }

  // Called at a request's headers, for each part of its body (which nobody wants), and at its end.
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, size_t* upload_size,
                              void** state) {
    if (*state == nullptr) {
      *state = self;
      return MHD_YES;
    }
    if (*upload_size != 0) {
      *upload_size = 0;
      return MHD_YES;
    }
    const auto argument = [connection](const char* name) {
      const char* value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
      return std::string_view(value == nullptr ? "" : value);
    };
    const Request request{method, url, argument("filter"), argument("registry")};
    return Send(connection, static_cast<Impl*>(self)->pages_.Answer(request));
  }

  // libmicrohttpd leaves the body out for HEAD.
  static MHD_Result Send(MHD_Connection* connection, const Page& page) {
    // It declares its argument as mutable, and copies it.
    MHD_Response* response = MHD_create_response_from_buffer(
        page.body.size(), const_cast<char*>(page.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page.content_type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (page.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
      MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, page.allow.c_str());
    }
    const MHD_Result result = MHD_queue_response(connection, page.status, response);
    MHD_destroy_response(response);
    return result;
  }

  const Pages pages_;
  const std::string host_;
  const uint32_t port_;
  // Written while starting, then by the server's thread; read only when there is no such thread.
  std::string start_error_;
  MHD_Daemon* daemon_ = nullptr;
};

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() = default;

std::string AdminServer::address() const { return impl_->address(); }
int AdminServer::port() const { return impl_->port(); }

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const routing::v1::Address& address,
                                                                Sources sources) {
  auto impl = std::make_unique<Impl>(address, std::move(sources));
  if (const absl::Status status = impl->Start(); !status.ok()) return status;
  return absl::WrapUnique(new AdminServer(std::move(impl)));
}

}  // namespace pinion::admin
