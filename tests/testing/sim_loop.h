// An event loop on virtual time: what one worker's thread, or all test peers together, run on.
// Takes its turns when its SimWorld says so. Edges of one turn come in a seeded order, and a turn
// sometimes leaves some of them for the next, as epoll may. One thread; Post() too.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gateway/net/event_loop.h"
#include "tests/testing/sim_world.h"

namespace pinion::testing {

class SimNetwork;

// Something that a loop calls in its next turn: a stream with edges to deliver.
class Wakeable {
 public:
  virtual void OnWake() = 0;

 protected:
  ~Wakeable() = default;
};

class SimLoop final : public net::EventLoop {
 public:
  // Without a network every connection is refused. `world` and `network` outlive the loop.
  explicit SimLoop(SimWorld& world, SimNetwork* network = nullptr);
  ~SimLoop() override;
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;

  std::unique_ptr<net::ByteStream> Connect(const net::Endpoint& endpoint) override;
  void Post(std::function<void()> work) override;

  SimWorld& world() { return world_; }

  // ---- for streams ----

  // Once in the next turn, however often it was asked for.
  void Wake(Wakeable& wakeable);
  // `wakeable` is called no more.
  void Forget(Wakeable& wakeable);

 private:
  friend class SimWorld;

  bool HasWork();
  void Turn();
  void RunWakes();

  SimWorld& world_;
  SimNetwork* const network_;
  std::vector<Wakeable*> wakes_;
  std::vector<Wakeable*> waking_;  // of the running turn; null: forgotten meanwhile
  std::vector<std::function<void()>> posted_;
};

}  // namespace pinion::testing
