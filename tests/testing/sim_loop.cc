#include "tests/testing/sim_loop.h"

#include <algorithm>
#include <utility>

#include "tests/testing/memory_stream.h"
#include "tests/testing/sim_network.h"

namespace pinion::testing {

SimLoop::SimLoop(SimWorld& world, SimNetwork* network) : world_(world), network_(network) {
  set_now(world_.now());
  world_.loops_.push_back(this);
}

SimLoop::~SimLoop() { std::erase(world_.loops_, this); }

std::unique_ptr<net::ByteStream> SimLoop::Connect(const net::Endpoint& endpoint) {
  if (network_ != nullptr) return network_->Connect(*this, endpoint);
  return MemoryStream::Refused(*this, net::ToString(endpoint), absl::ZeroDuration());
}

void SimLoop::Post(std::function<void()> work) { posted_.push_back(std::move(work)); }

void SimLoop::Wake(Wakeable& wakeable) {
  if (std::find(wakes_.begin(), wakes_.end(), &wakeable) == wakes_.end()) {
    wakes_.push_back(&wakeable);
  }
}

void SimLoop::Forget(Wakeable& wakeable) {
  std::erase(wakes_, &wakeable);
  std::replace(waking_.begin(), waking_.end(), &wakeable, static_cast<Wakeable*>(nullptr));
}

bool SimLoop::HasWork() {
  return !wakes_.empty() || !posted_.empty() || timers().next() <= world_.now();
}

void SimLoop::Turn() {
  set_now(world_.now());
  RunWakes();
  std::vector<std::function<void()>> posted = std::move(posted_);
  posted_.clear();
  for (std::function<void()>& work : posted) work();
  timers().RunDue(now());
  FinishTurn();
}

void SimLoop::RunWakes() {
  Random& random = world_.random();
  waking_.swap(wakes_);
  for (size_t i = waking_.size(); i > 1; --i) std::swap(waking_[i - 1], waking_[random.Below(i)]);
  if (waking_.size() > 1 && random.OneIn(4)) {
    const size_t kept = random.Between(uint64_t{1}, waking_.size());
    wakes_.assign(waking_.begin() + kept, waking_.end());
    waking_.resize(kept);
  }
  for (size_t i = 0; i < waking_.size(); ++i) {
    if (waking_[i] != nullptr) waking_[i]->OnWake();
  }
  waking_.clear();
}

}  // namespace pinion::testing
