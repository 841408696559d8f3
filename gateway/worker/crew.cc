#include "gateway/worker/crew.h"

#include "base/check.h"
#include "gateway/worker/worker.h"

namespace pinion::worker {

void Crew::Add(Worker& worker) { members_.push_back(std::make_unique<Member>(worker)); }

int64_t Crew::Member::Open() const {
  const proxy::Stats& stats = worker.stats();
  const uint64_t closed = stats.connections_total.value() - stats.connections.value();
  return assigned.load(std::memory_order_relaxed) - static_cast<int64_t>(closed);
}

// Two that choose at once may choose the same one; the next choice evens that out.
Worker& Crew::Assign(Worker& accepted_by) {
  Member* chosen = nullptr;
  int64_t fewest = 0;
  for (const std::unique_ptr<Member>& member : members_) {
    const int64_t open = member->Open();
    const bool itself = &member->worker == &accepted_by;
    if (chosen != nullptr && (itself ? open > fewest : open >= fewest)) continue;
    chosen = member.get();
    fewest = open;
  }
  CHECK(chosen != nullptr);
  chosen->assigned.fetch_add(1, std::memory_order_relaxed);
  return chosen->worker;
}

}  // namespace pinion::worker
