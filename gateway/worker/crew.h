// All workers of a process, for giving a connection to the one that has the fewest. The kernel
// spreads connections by a hash: that is fair for many of them, but among few that live for long,
// as those of gRPC clients do, it leaves one core idle while another has too much.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace pinion::worker {

class Worker;

class Crew {
 public:
  // Before any worker runs; it outlives the last Assign().
  void Add(Worker& worker);

  // The worker for a connection that `accepted_by` has accepted, which counts as its from now on:
  // itself unless another one has fewer. Any worker's thread.
  Worker& Assign(Worker& accepted_by);

 private:
  struct Member {
    explicit Member(Worker& worker) : worker(worker) {}

    // Assigned and not closed, wherever it is on its way.
    int64_t Open() const;

    Worker& worker;
    std::atomic<int64_t> assigned{0};
  };

  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace pinion::worker
