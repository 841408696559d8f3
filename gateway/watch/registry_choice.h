// Which of a registry's addresses to follow next, and how soon. Several lead to replicas on one
// store, so any is as good as another: each gateway has an order of its own by chance, stays where
// it is as long as that is good, and goes on to the next one when it is not. Waits have jitter, so
// that gateways which lost a replica together do not come back together. Pure; owned by Watcher and
// used on its thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"

namespace pinion::watch {

// How a stream ended, as far as it decides where the next one goes.
enum class StreamEnd {
  kAgain,    // it goes on at the same place: cut off for slowness, or ended by this gateway
  kBroken,   // it was good, and is lost, silent, or its replica stops
  kFailed,   // it never was: nobody answers, or the replica is full
  kRefused,  // what came was refused, or would be
};

class RegistryChoice {
 public:
  // REQUIRES: an address. `random` outlives this.
  RegistryChoice(std::vector<std::string> addresses, absl::BitGenRef random);

  const std::string& address() const { return addresses_[at_]; }
  size_t size() const { return addresses_.size(); }

  // Moves on as `end` demands. How long to wait before the next stream, to address().
  absl::Duration Next(StreamEnd end);
  // The stream is good: what failed before it counts no more.
  void Good() { failures_ = 0; }
  // The next stream goes to `address`, if that is one of them, and as if nothing had failed.
  void Choose(const std::string& address);

 private:
  const std::vector<std::string> addresses_;
  absl::BitGenRef random_;
  size_t at_ = 0;
  size_t failures_ = 0;  // in a row
};

}  // namespace pinion::watch
