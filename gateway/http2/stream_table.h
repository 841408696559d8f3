// Which stream ids are in use, and how those that are not any more came to an end. Owned by a
// session; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/http2/stream_state.h"
#include "gateway/http2/types.h"
#include "gateway/limits.h"

namespace pinion::http2 {

// Active streams by id: open addressing with linear probing. Holds no memory before the first
// stream; allocates only to grow.
class StreamTable {
 public:
  // Null when there is none.
  StreamState* Find(StreamId id) const;

  // REQUIRES: the id is not in the table.
  void Insert(StreamState* stream);

  // REQUIRES: the id is in the table.
  void Erase(StreamId id);

  size_t size() const { return size_; }

  // In no order. `visit` must not change the table.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (StreamState* stream : slots_) {
      if (stream != nullptr) visit(*stream);
    }
  }

  void Clear();

 private:
  // Fibonacci hashing: ids that follow each other land apart, so that runs, which Erase() walks,
  // stay short.
  size_t Home(StreamId id) const { return (id * uint64_t{0x9e3779b97f4a7c15}) >> shift_; }
  void Grow();

  std::vector<StreamState*> slots_;  // a power of two of them
  size_t size_ = 0;
  int shift_ = 63;  // 64 less the bits of an index
};

// A short memory of ended streams: what a frame that arrives late means depends on who ended its
// stream and how.
class ClosedStreams {
 public:
  enum class How {
    kForgotten,    // long ago, or never opened
    kClean,        // END_STREAM both ways: a further frame is a fault of the connection
    kResetByPeer,  // a further frame is a fault of the stream
    kResetByUs,    // frames may still be under way: ignored
  };

  // REQUIRES: how != kForgotten.
  void Add(StreamId id, How how);
  How Find(StreamId id) const;

 private:
  static constexpr size_t kShort = 8;

  std::array<StreamId, kShort> clean_{};
  std::array<StreamId, kShort> reset_by_peer_{};
  std::vector<StreamId> reset_by_us_;  // a ring once it has limits::kResetsRemembered
  uint32_t clean_next_ = 0;
  uint32_t reset_by_peer_next_ = 0;
  uint32_t reset_by_us_next_ = 0;
};

}  // namespace pinion::http2
