// How one simulated connection behaves: a value, drawn from the seed or written down by a test.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "tests/testing/random.h"

namespace pinion::testing {

// How a connection ends that nobody closed.
enum class CutKind : uint8_t {
  kReset,  // both ends fail; what was under way is lost
  kFin,    // both ends see a clean end of the stream, as when the other process has gone
};

struct DirectionPolicy {
  // Each segment takes this long; segments never overtake each other.
  absl::Duration latency_min = absl::Microseconds(20);
  absl::Duration latency_max = absl::Microseconds(200);

  // What was written arrives in segments of 1..segment_bytes_max bytes, the first dribble_bytes of
  // the direction in segments of 1..3, so that prefaces and frame headers are cut everywhere.
  size_t segment_bytes_max = 16 * 1024;
  uint64_t dribble_bytes = 0;

  // One Write() takes at most 1..write_bytes_max bytes.
  size_t write_bytes_max = SIZE_MAX;

  // Written and not yet read; then writes block.
  size_t capacity_bytes = 1024 * 1024;

  // What is sent from this byte on arrives later by `stall`.
  uint64_t stall_at_byte = UINT64_MAX;
  absl::Duration stall;

  // The connection is cut when this byte of the direction would arrive.
  uint64_t cut_at_byte = UINT64_MAX;
  CutKind cut = CutKind::kReset;
};

struct LinkPolicy {
  enum class Connect : uint8_t { kAccept, kRefuse, kNeverAnswer };

  Connect connect = Connect::kAccept;
  absl::Duration connect_delay = absl::Microseconds(100);
  DirectionPolicy to_acceptor;
  DirectionPolicy to_connector;
};

// Splits, delays, small buffers and stalls of at most `stall_max`; no cuts, nothing lost.
LinkPolicy DrawLinkPolicy(Random& random, absl::Duration stall_max);

// Adds a cut at a random byte of one direction.
void DrawCut(Random& random, LinkPolicy& policy, uint64_t byte_max);

}  // namespace pinion::testing
