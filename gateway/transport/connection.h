// An HTTP/2 session on a byte stream: reads, hands out events, lets blocked streams send in turn,
// and writes once a turn. Towards callers and towards instances alike. Owned by what uses it; one
// worker's thread.
//
// One turn:
//     readable → Handler::OnEvent … → (others use session()) → end: OnWritable …, one write
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/http2/session.h"
#include "gateway/http2/slab_pool.h"
#include "gateway/limits.h"
#include "gateway/net/byte_stream.h"
#include "gateway/net/event_loop.h"
#include "gateway/net/timer_queue.h"
#include "gateway/net/tls_shared.h"

namespace pinion::transport {

// What all connections of one worker share. Outlives them.
struct Shared {
  explicit Shared(net::EventLoop& loop);

  net::EventLoop& loop;
  http2::SlabPool slabs;
  http2::LimitCounters limits;
  net::TlsShared tls;
  std::unique_ptr<uint8_t[]> read_buffer;  // limits::kReadBufferBytes; used only within one read
};

class Connection final : private net::ByteStream::Observer, private net::TurnTask {
 public:
  class Handler {
   public:
    // May use this and any other connection, but destroy none (see EventLoop::DeleteLater).
    virtual void OnEvent(const http2::Event& event) = 0;

    // The stream's SendData() was cut short and can go on.
    virtual void OnWritable(http2::Stream& stream) = 0;

    // At least limits::kOutputHighWatermarkBytes waited for the socket, and it may be less now.
    virtual void OnOutputWritten() {}

    // The connection is over and closed, whoever ended it; every stream got its kReset before. Last
    // call.
    virtual void OnClosed(absl::string_view why) = 0;

   protected:
    ~Handler() = default;
  };

  // `stream` may still be connecting. `handler` outlives the connection.
  Connection(Shared& shared, std::unique_ptr<net::ByteStream> stream, http2::Role role,
             const http2::Options& options, Handler& handler);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The session, to be used now; what it has to say is written at the end of this turn.
  http2::Session& session() {
    shared_.loop.AtEndOfTurn(*this);
    return *session_;
  }
  const http2::Session& session() const { return *session_; }

  // Writes what is queued, then closes. Open streams get their kReset at the end of this turn.
  void Close(absl::string_view why);
  // Now, and what is queued is never said: for a peer that does not read it.
  void Drop(absl::string_view why) { Finish(why); }

  bool closed() const { return closed_; }
  const std::string& peer() const { return peer_; }
  // See ByteStream::tls_peer(); null also once it is closed.
  const auth::TlsPeer* tls_peer() const {
    return stream_ == nullptr ? nullptr : stream_->tls_peer();
  }
  // Since when the peer lets us send no DATA on any stream; InfiniteFuture: it does.
  absl::Time send_window_shut_since() const { return send_window_shut_since_; }
  // What waits for the socket.
  size_t unwritten_bytes() const { return session_->output().size(); }
  // When the last bytes arrived.
  absl::Time last_read() const { return last_read_; }

 private:
  void OnReadable() override;
  void OnWritable() override;
  void RunAtEndOfTurn() override;

  bool ReadOnce();
  void MeasureRoundTrip(size_t bytes_read);
  void Feed(http2::Bytes bytes);
  void DeliverEvents();
  void Pump();
  bool WriteSome();
  bool Write();
  void WatchWindow();
  void WatchForStall(bool stalled);
  void OnPatienceEnded();
  void WatchForHeaders();
  void OnHeadersDue();
  void EndStreams(absl::string_view why);
  void Linger(absl::string_view why);
  void Discard();
  void Finish(absl::string_view why);

  Shared& shared_;
  Handler& handler_;
  std::unique_ptr<net::ByteStream> stream_;
  std::unique_ptr<http2::Session> session_;
  const std::string peer_;
  net::Timer patience_;     // with a peer that does not read, or after the end does not close
  net::Timer headers_due_;  // looks whether a header block is taking too long to arrive
  absl::Time last_read_;
  absl::Time send_window_shut_since_ = absl::InfiniteFuture();
  absl::Time round_trip_measured_ = absl::InfinitePast();
  size_t read_since_measured_ = 0;
  size_t read_bytes_ = limits::kReadBufferBytes;  // of the next read
  std::string closing_why_;                       // set: closes once everything is written
  bool closing_ = false;
  bool lingering_ = false;  // everything was said; the streams are gone
  bool closed_ = false;
  bool write_blocked_ = false;
};

}  // namespace pinion::transport
