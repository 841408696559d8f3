// A session that a hostile peer speaks to, with a user who answers, resets and releases streams at
// random: for tests that feed it anything. Ends the process when the session breaks its contract: a
// stream surfaced twice or after its end, or memory beyond its bounds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "gateway/http2/session.h"
#include "gateway/http2/slab_pool.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/random.h"

namespace pinion::testing::h2 {

class Victim {
 public:
  Victim(http2::Role role, Random& random)
      : role_(role), random_(random), session_(role, {}, pool_) {}

  http2::Session& session() { return session_; }

  // In pieces of random sizes, while time goes on.
  void Read(absl::string_view bytes) {
    now_ += absl::Milliseconds(static_cast<int64_t>(random_.Below(50)));
    while (!bytes.empty()) {
      absl::string_view head = bytes.substr(0, random_.Size(200));
      bytes.remove_prefix(head.size());
      while (!head.empty()) {
        head.remove_prefix(session_.Receive(AsBytes(head), now_));
        for (const http2::Event& event : session_.events()) Act(event);
        session_.ReleaseEvents();
      }
    }
    CHECK(session_.output().size() < limits::kOutputBytesMax + (1 << 20));
    CHECK(session_.active_streams() <= limits::kMaxConcurrentStreams);
  }

  // The id of the stream that it opened, if it did.
  http2::StreamId ActAtRandom() {
    http2::StreamId opened = 0;
    if (role_ == http2::Role::kClient && random_.OneIn(2) && session_.CanOpenStream()) {
      http2::Stream* stream = session_.OpenStream(kCall, random_.OneIn(2), this);
      streams_[stream] = false;
      opened = stream->id();
    }
    while (http2::Stream* stream = session_.NextWritable()) {
      if (random_.OneIn(2)) Send(*stream);
    }
    for (auto it = streams_.begin(); it != streams_.end();) {
      http2::Stream& stream = *(it++)->first;
      switch (random_.Below(12)) {
        case 0:
          session_.Reset(stream, http2::ErrorCode::kCancel);
          break;
        case 1:
          streams_.erase(&stream);
          session_.Release(stream, http2::ErrorCode::kCancel);
          break;
        case 2:
          session_.Consume(stream, random_.Below(1000));
          break;
        default:
          Send(stream);
      }
    }
    if (random_.OneIn(100)) session_.Ping(7);
    if (random_.OneIn(500)) session_.GoAwayNotice();
    if (random_.OneIn(1000)) session_.GoAwayFinal(http2::ErrorCode::kNoError, "");
    if (random_.OneIn(3)) session_.output().Consume(random_.Below(session_.output().size() + 1));
    return opened;
  }

 private:
  void Send(http2::Stream& stream) {
    bool& headers_sent = streams_.at(&stream);
    if (!headers_sent && role_ == http2::Role::kServer) {
      session_.SendHeaders(stream, kResponse, false);
      headers_sent = true;
    } else if (random_.OneIn(10)) {
      session_.SendTrailers(stream, kTrailers);
    } else {
      session_.SendData(stream, AsBytes(std::string(random_.Size(70000), 'x')), random_.OneIn(9));
    }
  }

  void Act(const http2::Event& event) {
    if (event.stream == nullptr || event.type == http2::EventType::kNone) return;
    http2::Stream& stream = *event.stream;
    if (event.type == http2::EventType::kHeaders && role_ == http2::Role::kServer) {
      const bool first = streams_.emplace(&stream, false).second;
      CHECK(first);
    }
    const bool held = streams_.contains(&stream);
    CHECK(held);
    CHECK(!event.end_stream || stream.remote_closed());
    if (event.type == http2::EventType::kReset) {
      CHECK(stream.closed());
    } else if (!random_.OneIn(20)) {
      return;
    }
    streams_.erase(&stream);
    session_.Release(stream, http2::ErrorCode::kCancel);
  }

  inline static const std::vector<http2::HeaderField> kCall = {
      {":method", "POST"}, {":scheme", "http"}, {":path", "/a"}};
  inline static const std::vector<http2::HeaderField> kResponse = {{":status", "200"}, {"a", "b"}};
  inline static const std::vector<http2::HeaderField> kTrailers = {{"grpc-status", "0"}};

  const http2::Role role_;
  Random& random_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  http2::SlabPool pool_;
  http2::Session session_;
  std::map<http2::Stream*, bool> streams_;  // not released; whether headers were sent
};

}  // namespace pinion::testing::h2
