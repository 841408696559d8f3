// bench_echo: the upstream of the benchmarks and of h2spec. Speaks h2c through nghttp2 (not through
// the engine under test), one thread, one epoll. Answers every request in gRPC's shape: 200, the
// request's body (or, when that is empty, --body bytes), and `grpc-status: 0` in the trailers.
//
// usage: bench_echo [--body=BYTES]; listens on a free port of 127.0.0.1 and prints `listening
// 127.0.0.1:PORT`.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/check.h"

namespace {

// Large enough that the upstream never holds a proxy back.
constexpr uint32_t kStreamWindowBytes = 1 << 20;
constexpr int32_t kConnectionWindowBytes = 16 << 20;
constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kWriteAheadBytes = 1 << 20;

size_t g_body_bytes = 64;

nghttp2_nv Field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view s) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(s.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

struct Stream {
  std::string body;
  size_t sent = 0;
  bool is_head = false;  // no body may follow
};

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {
    nghttp2_session_callbacks* callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnClose);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const std::array<nghttp2_settings_entry, 2> settings = {{
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 10'000},
    }};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    nghttp2_session_del(session_);
    close(fd_);
  }

  int fd() const { return fd_; }
  bool wants_to_write() const { return written_ < out_.size(); }

  // Reads once, answers, writes once; false when the connection is over.
  bool OnReady() {
    static std::array<uint8_t, kReadBytes> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got > 0 && nghttp2_session_mem_recv(session_, buffer.data(), got) < 0) return false;
    return Flush();
  }

 private:
  bool Flush() {
    do {
      const uint8_t* frame;
      ssize_t size = 0;
      while (out_.size() < kWriteAheadBytes &&
             (size = nghttp2_session_mem_send(session_, &frame)) > 0) {
        out_.append(reinterpret_cast<const char*>(frame), size);
      }
      if (size < 0 || !Write()) return false;
    } while (out_.empty() && nghttp2_session_want_write(session_));
    return wants_to_write() || nghttp2_session_want_read(session_) ||
           nghttp2_session_want_write(session_);
  }

  bool Write() {
    while (wants_to_write()) {
      const ssize_t sent =
          send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      written_ += sent;
    }
    out_.clear();
    written_ = 0;
    return true;
  }

  void Respond(int32_t id) {
    Stream& stream = streams_[id];
    if (stream.body.empty()) stream.body.assign(g_body_bytes, 'x');
    const std::array<nghttp2_nv, 2> headers = {Field(":status", "200"),
                                               Field("content-type", "application/grpc")};
    nghttp2_data_provider body{.source = {.ptr = &stream}, .read_callback = &ReadBody};
    nghttp2_submit_response(session_, id, headers.data(), headers.size(),
                            stream.is_head ? nullptr : &body);
  }

  static ssize_t ReadBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t space,
                          uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* stream = static_cast<Stream*>(source->ptr);
    const size_t size = std::min(space, stream->body.size() - stream->sent);
    std::memcpy(buffer, stream->body.data() + stream->sent, size);
    stream->sent += size;
    if (stream->sent == stream->body.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv status = Field("grpc-status", "0");
      nghttp2_submit_trailer(session, id, &status, 1);
    }
    return static_cast<ssize_t>(size);
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    static_cast<Connection*>(self)->streams_.try_emplace(frame->hd.stream_id);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* self) {
    auto text = [](const uint8_t* data, size_t size) {
      return std::string_view(reinterpret_cast<const char*>(data), size);
    };
    if (text(name, name_size) == ":method" && text(value, value_size) == "HEAD") {
      static_cast<Connection*>(self)->streams_[frame->hd.stream_id].is_head = true;
    }
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* self) {
    static_cast<Connection*>(self)->streams_[id].body.append(reinterpret_cast<const char*>(data),
                                                             size);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    const bool is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (is_message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      static_cast<Connection*>(self)->Respond(frame->hd.stream_id);
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t, void* self) {
    static_cast<Connection*>(self)->streams_.erase(id);
    return 0;
  }

  const int fd_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, Stream> streams_;
  std::string out_;
  size_t written_ = 0;
};

// All sockets are level-triggered: a connection that could not write everything asks for EPOLLOUT
// as well.
class Server {
 public:
  Server() : epoll_(epoll_create1(EPOLL_CLOEXEC)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = 0,
                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                        .sin_zero = {}};
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 4096) == 0);
    CHECK(getsockname(listener_, generic, &size) == 0);
    std::printf("listening 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void Run() {
    while (true) {
      std::array<epoll_event, 256> events;
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        events[i].data.fd == listener_ ? Accept() : Serve(events[i].data.fd);
      }
    }
  }

 private:
  void Watch(int operation, int fd, uint32_t what) {
    epoll_event event{.events = what, .data = {.fd = fd}};
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections_[fd] = std::make_unique<Connection>(fd);
    Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  void Serve(int fd) {
    Connection& connection = *connections_[fd];
    const bool was_blocked = connection.wants_to_write();
    if (!connection.OnReady()) {
      connections_.erase(fd);
    } else if (was_blocked != connection.wants_to_write()) {
      Watch(EPOLL_CTL_MOD, fd, was_blocked ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }
  }

  const int epoll_;
  const int listener_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kBody = "--body=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag.substr(0, kBody.size()) != kBody) {
      std::fprintf(stderr, "bench_echo: unknown flag %s; it knows --body=BYTES\n", argv[i]);
      return 2;
    }
    g_body_bytes = std::strtoul(argv[i] + kBody.size(), nullptr, 10);
  }
  Server().Run();
}
