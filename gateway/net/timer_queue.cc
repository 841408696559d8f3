#include "gateway/net/timer_queue.h"

namespace pinion::net {

void Timer::Arm(absl::Time at) {
  Cancel();
  at_ = at;
  queue_.Insert(*this);
}

void Timer::Cancel() {
  if (armed()) queue_.Remove(*this);
}

absl::Time TimerQueue::next() const {
  return heap_.empty() ? absl::InfiniteFuture() : heap_.front()->at_;
}

void TimerQueue::RunDue(absl::Time now) {
  const uint64_t armed_before = next_order_;
  while (!heap_.empty() && heap_.front()->at_ <= now) {
    Timer& timer = *heap_.front();
    // A timer armed by a callback of this run never runs in it, or a timer that re-arms itself
    // would hold the loop.
    if (timer.order_ >= armed_before) break;
    Remove(timer);
    timer.callback_(timer.argument_);
  }
}

void TimerQueue::Insert(Timer& timer) {
  timer.order_ = next_order_++;
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  SiftUp(timer.index_);
}

void TimerQueue::Remove(Timer& timer) {
  const size_t index = timer.index_;
  Timer* last = heap_.back();
  heap_.pop_back();
  timer.index_ = Timer::kNone;
  if (last == &timer) return;
  Place(index, last);
  SiftUp(index);
  SiftDown(last->index_);
}

void TimerQueue::SiftUp(size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!Before(*timer, *heap_[parent])) break;
    Place(index, heap_[parent]);
    index = parent;
  }
  Place(index, timer);
}

void TimerQueue::SiftDown(size_t index) {
  Timer* timer = heap_[index];
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && Before(*heap_[child + 1], *heap_[child])) ++child;
    if (!Before(*heap_[child], *timer)) break;
    Place(index, heap_[child]);
    index = child;
  }
  Place(index, timer);
}

void TimerQueue::Place(size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

bool TimerQueue::Before(const Timer& a, const Timer& b) {
  return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
}

}  // namespace pinion::net
