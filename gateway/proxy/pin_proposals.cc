#include "gateway/proxy/pin_proposals.h"

#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "gateway/watch_limits.h"

namespace pinion::proxy {

void PinProposals::Note(const route::Route& route, const route::Consumer& consumer) {
  if (sink_ == nullptr) return;
  if (loop_.now() >= forget_at_) {
    remembered_.clear();
    forget_at_ = loop_.now() + limits::kPinProposalRest;
  }
  const uint64_t hash = absl::HashOf(consumer.name, absl::string_view(route.service->name));
  if (remembered_.contains(hash)) return;
  if (remembered_.size() == limits::kPinProposalsRemembered) {
    stats_.pin_proposals_dropped.Add();
    return;
  }
  remembered_.insert(hash);
  noted_.push_back({std::string(consumer.name), route.service->name, route.version->name});
  loop_.AtEndOfTurn(*this);
}

void PinProposals::RunAtEndOfTurn() { sink_(std::exchange(noted_, {})); }

}  // namespace pinion::proxy
