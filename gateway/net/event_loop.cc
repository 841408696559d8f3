#include "gateway/net/event_loop.h"

#include <algorithm>
#include <utility>

namespace pinion::net {

TurnTask::~TurnTask() {
  if (scheduled_in_ != nullptr) scheduled_in_->Unschedule(*this);
}

void EventLoop::AtEndOfTurn(TurnTask& task) {
  if (task.scheduled_in_ != nullptr) return;
  task.scheduled_in_ = this;
  tasks_.push_back(&task);
}

void EventLoop::DeleteLater(std::unique_ptr<Deferred> object) {
  deferred_.push_back(std::move(object));
}

void EventLoop::FinishTurn() {
  // Deleting may schedule tasks and tasks may put objects aside, so both until neither is left.
  while (!tasks_.empty() || !deferred_.empty()) {
    for (size_t i = 0; i < tasks_.size(); ++i) {
      TurnTask* task = tasks_[i];
      if (task == nullptr) continue;
      task->scheduled_in_ = nullptr;
      task->RunAtEndOfTurn();
    }
    tasks_.clear();
    std::vector<std::unique_ptr<Deferred>> deleting = std::move(deferred_);
    deferred_.clear();
  }
}

void EventLoop::Unschedule(TurnTask& task) {
  std::replace(tasks_.begin(), tasks_.end(), &task, static_cast<TurnTask*>(nullptr));
  task.scheduled_in_ = nullptr;
}

}  // namespace pinion::net
