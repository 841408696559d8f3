#include "gateway/watch/registry_choice.h"

#include <algorithm>
#include <utility>

#include "absl/random/distributions.h"
#include "base/check.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

std::vector<std::string> Shuffled(std::vector<std::string> addresses, absl::BitGenRef random) {
  CHECK(!addresses.empty());
  std::shuffle(addresses.begin(), addresses.end(), random);
  return addresses;
}

// Doubles with each round that no address made better.
absl::Duration Doubled(absl::Duration first, absl::Duration last, size_t rounds) {
  constexpr size_t kMostDoublings = 20;
  return std::min(first * (1 << std::min(rounds, kMostDoublings)), last);
}

}  // namespace

RegistryChoice::RegistryChoice(std::vector<std::string> addresses, absl::BitGenRef random)
    : addresses_(Shuffled(std::move(addresses), random)), random_(random) {}

absl::Duration RegistryChoice::Next(StreamEnd end) {
  if (end != StreamEnd::kAgain) at_ = (at_ + 1) % addresses_.size();
  if (end == StreamEnd::kAgain || end == StreamEnd::kBroken) {
    // A stream that never becomes good again fails, and is then counted as such.
    return absl::Uniform(random_, 0.0, 1.0) * limits::kWatchReturnSpread;
  }
  ++failures_;
  const size_t rounds = failures_ / addresses_.size();
  const bool whole_round = failures_ >= addresses_.size();
  const absl::Duration wait =
      end == StreamEnd::kRefused && whole_round
          ? Doubled(limits::kWatchRefusedMin, limits::kWatchRefusedMax, rounds - 1)
          : Doubled(limits::kWatchBackoffMin, limits::kWatchBackoffMax, rounds);
  return absl::Uniform(random_, 0.5, 1.0) * wait;
}

void RegistryChoice::Choose(const std::string& address) {
  const auto found = std::find(addresses_.begin(), addresses_.end(), address);
  if (found != addresses_.end()) at_ = static_cast<size_t>(found - addresses_.begin());
  failures_ = 0;
}

}  // namespace pinion::watch
