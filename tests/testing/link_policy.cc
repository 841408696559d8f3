#include "tests/testing/link_policy.h"

namespace pinion::testing {
namespace {

DirectionPolicy DrawDirection(Random& random, absl::Duration stall_max) {
  DirectionPolicy policy;
  policy.latency_min = absl::Microseconds(random.Size(100));
  policy.latency_max = policy.latency_min + absl::Microseconds(random.Size(5000));
  if (random.OneIn(2)) policy.segment_bytes_max = random.Between(uint64_t{64}, uint64_t{16384});
  if (random.OneIn(3)) policy.dribble_bytes = random.Size(600);
  if (random.OneIn(3)) policy.write_bytes_max = random.Between(uint64_t{256}, uint64_t{65536});
  if (random.OneIn(3)) policy.capacity_bytes = random.Between(uint64_t{1024}, uint64_t{65536});
  if (random.OneIn(4) && stall_max > absl::ZeroDuration()) {
    policy.stall_at_byte = random.Size(100'000);
    policy.stall = random.Between(absl::Milliseconds(1), stall_max);
  }
  return policy;
}

}  // namespace

LinkPolicy DrawLinkPolicy(Random& random, absl::Duration stall_max) {
  LinkPolicy policy;
  policy.connect_delay = absl::Microseconds(random.Size(20'000));
  policy.to_acceptor = DrawDirection(random, stall_max);
  policy.to_connector = DrawDirection(random, stall_max);
  return policy;
}

void DrawCut(Random& random, LinkPolicy& policy, uint64_t byte_max) {
  DirectionPolicy& direction = random.OneIn(2) ? policy.to_acceptor : policy.to_connector;
  direction.cut_at_byte = random.Size(byte_max);
  direction.cut = random.OneIn(2) ? CutKind::kReset : CutKind::kFin;
}

}  // namespace pinion::testing
