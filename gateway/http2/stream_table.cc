#include "gateway/http2/stream_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace pinion::http2 {
namespace {

constexpr size_t kFirstSlots = 16;

}  // namespace

StreamState* StreamTable::Find(StreamId id) const {
  if (slots_.empty()) return nullptr;
  const size_t mask = slots_.size() - 1;
  for (size_t i = Home(id); slots_[i] != nullptr; i = (i + 1) & mask) {
    if (slots_[i]->id_ == id) return slots_[i];
  }
  return nullptr;
}

void StreamTable::Insert(StreamState* stream) {
  if ((size_ + 1) * 2 > slots_.size()) Grow();
  const size_t mask = slots_.size() - 1;
  size_t i = Home(stream->id_);
  while (slots_[i] != nullptr) {
    DCHECK(slots_[i]->id_ != stream->id_);
    i = (i + 1) & mask;
  }
  slots_[i] = stream;
  ++size_;
}

void StreamTable::Erase(StreamId id) {
  CHECK(size_ > 0);
  const size_t mask = slots_.size() - 1;
  size_t hole = Home(id);
  while (slots_[hole] == nullptr || slots_[hole]->id_ != id) hole = (hole + 1) & mask;
  // Moves back what probed past the hole, so that no tombstones are needed.
  for (size_t i = (hole + 1) & mask; slots_[i] != nullptr; i = (i + 1) & mask) {
    const size_t home = Home(slots_[i]->id_);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = nullptr;
  --size_;
}

void StreamTable::Clear() {
  std::fill(slots_.begin(), slots_.end(), nullptr);
  size_ = 0;
}

void StreamTable::Grow() {
  std::vector<StreamState*> old = std::move(slots_);
  slots_.assign(std::max(kFirstSlots, old.size() * 2), nullptr);
  shift_ = 64 - static_cast<int>(std::bit_width(slots_.size() - 1));
  size_ = 0;
  for (StreamState* stream : old) {
    if (stream != nullptr) Insert(stream);
  }
}

void ClosedStreams::Add(StreamId id, How how) {
  switch (how) {
    case How::kForgotten:
      break;
    case How::kClean:
      clean_[clean_next_++ % kShort] = id;
      break;
    case How::kResetByPeer:
      reset_by_peer_[reset_by_peer_next_++ % kShort] = id;
      break;
    case How::kResetByUs:
      if (reset_by_us_.size() < limits::kResetsRemembered) {
        reset_by_us_.push_back(id);
      } else {
        reset_by_us_[reset_by_us_next_++ % limits::kResetsRemembered] = id;
      }
      break;
  }
}

ClosedStreams::How ClosedStreams::Find(StreamId id) const {
  auto holds = [id](const auto& ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
  if (holds(reset_by_us_)) return How::kResetByUs;
  if (holds(clean_)) return How::kClean;
  if (holds(reset_by_peer_)) return How::kResetByPeer;
  return How::kForgotten;
}

}  // namespace pinion::http2
