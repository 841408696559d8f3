// The events of one wake-up and the header blocks that they point to. Owned by a session from
// Receive() to ReleaseEvents(), by the pool in between; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/http2/header_block.h"
#include "gateway/http2/session.h"

namespace pinion::http2 {

struct EventBatch {
  std::vector<Event> events;
  // Beside each event the place of the next one of its stream; zero: none so far.
  std::vector<uint32_t> next_of_stream;
  std::vector<std::unique_ptr<HeaderBlock>> blocks;
};

}  // namespace pinion::http2
