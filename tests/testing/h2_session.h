// A Session with what it received written down, for tests: events as plain values, bytes in and out
// as strings.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/session.h"
#include "gateway/http2/slab_pool.h"
#include "tests/testing/h2_frames.h"

namespace pinion::testing::h2 {

inline http2::Bytes AsBytes(absl::string_view text) {
  return http2::Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

inline std::string AsString(http2::Bytes bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// Everything that waits for the socket.
inline std::string TakeOutput(http2::Session& session) {
  std::string out;
  http2::Bytes piece;
  while (session.output().Peek(absl::MakeSpan(&piece, 1)) > 0) {
    out += AsString(piece);
    session.output().Consume(piece.size());
  }
  return out;
}

inline std::string Describe(const http2::HeaderBlock& block) {
  std::string text;
  for (const http2::HeaderField& field : block.fields()) {
    absl::StrAppend(&text, text.empty() ? "" : "|", field.name, "=", field.value,
                    field.never_index ? "!" : "");
  }
  return text;
}

inline constexpr char kBrokenBlock[] = "ERROR";

// A header block as Describe() shows it, behind "TOO LARGE " where it is that, or kBrokenBlock. It
// arrives in pieces of `piece` bytes.
inline std::string DecodeBlock(http2::HpackDecoder& decoder, absl::string_view bytes,
                               const http2::HeaderListLimits& limits, size_t piece = SIZE_MAX) {
  http2::HeaderBlock block;
  http2::HeaderListProgress progress;
  do {
    const absl::string_view head = bytes.substr(0, piece);
    bytes.remove_prefix(head.size());
    if (!decoder.Decode(AsBytes(head), bytes.empty(), limits, progress, &block)) {
      return kBrokenBlock;
    }
  } while (!bytes.empty());
  return (progress.too_large ? "TOO LARGE " : "") + Describe(block);
}

// "headers 1 end :method=POST|…", "data 1 hello end", "reset 3 CANCEL by us".
inline std::string Describe(const http2::Event& event) {
  using http2::EventType;
  const std::string id = event.stream == nullptr ? "" : absl::StrCat(event.stream->id());
  const absl::string_view end = event.end_stream ? " end" : "";
  switch (event.type) {
    case EventType::kNone:
      return "";
    case EventType::kHeaders:
      return absl::StrCat("headers ", id, end, " ", Describe(*event.headers));
    case EventType::kInterim:
      return absl::StrCat("interim ", id, end, " ", Describe(*event.headers));
    case EventType::kData:
      return absl::StrCat("data ", id, " ", AsString(event.data), end);
    case EventType::kTrailers:
      return absl::StrCat("trailers ", id, end, " ", Describe(*event.headers));
    case EventType::kReset:
      return absl::StrCat("reset ", id, " ", http2::ErrorCodeName(event.error),
                          event.reset_by_us ? " by us" : "");
    case EventType::kSettings:
      return "settings";
    case EventType::kPingAck:
      return absl::StrCat("ping_ack ", event.opaque);
    case EventType::kGoAway:
      return absl::StrCat("goaway ", event.last_stream_id, " ", http2::ErrorCodeName(event.error),
                          " ", AsString(event.data));
  }
  return "?";
}

// A session under test. Its peer is the test itself, or another SessionUnderTest through
// Exchange().
struct SessionUnderTest {
  explicit SessionUnderTest(http2::Role role, const http2::Options& options = {})
      : session(role, options, pool, &limits) {}

  // Feeds all of `bytes` in pieces of `piece` bytes and writes the events down. Streams stay where
  // they are until released.
  void Feed(absl::string_view bytes, size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      absl::string_view head = bytes.substr(0, piece);
      bytes.remove_prefix(head.size());
      while (!head.empty()) {
        head.remove_prefix(session.Receive(AsBytes(head), now));
        for (const http2::Event& event : session.events()) Record(event);
        session.ReleaseEvents();
      }
    }
  }

  void Record(const http2::Event& event) {
    if (event.stream != nullptr) streams[event.stream->id()] = event.stream;
    const std::string text = Describe(event);
    if (text.empty()) return;
    // Pieces of DATA that follow each other are one: how the bytes were split must not show.
    const size_t prefix =
        event.type == http2::EventType::kData ? text.find(' ', text.find(' ') + 1) + 1 : 0;
    if (prefix > 0 && !events.empty() && events.back().compare(0, prefix, text, 0, prefix) == 0) {
      events.back() += text.substr(prefix);
    } else {
      events.push_back(text);
    }
  }

  std::vector<WireFrame> Frames() {
    wire += TakeOutput(session);
    return TakeFrames(wire);
  }

  http2::Stream& stream(http2::StreamId id) { return *streams.at(id); }

  http2::SlabPool pool;
  http2::LimitCounters limits;
  absl::Time now = absl::FromUnixSeconds(1000);
  http2::Session session;
  std::vector<std::string> events;
  std::map<http2::StreamId, http2::Stream*> streams;
  std::string wire;  // output that is no whole frame yet
};

// Carries bytes both ways, in pieces of `piece` bytes, until both sides are silent.
inline void Exchange(SessionUnderTest& a, SessionUnderTest& b, size_t piece = SIZE_MAX) {
  while (!a.session.output().empty() || !b.session.output().empty()) {
    b.Feed(TakeOutput(a.session), piece);
    a.Feed(TakeOutput(b.session), piece);
  }
}

}  // namespace pinion::testing::h2
