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
  // Ids of one side step by two.
  size_t Home(StreamId id) const { return (id >> 1) & (slots_.size() - 1); }
  void Grow();

  std::vector<StreamState*> slots_;  // a power of two of them
  size_t size_ = 0;
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
