// The pins that one worker's calls ask for under `pin_on_first_call`: noted while a call is routed,
// handed over at the end of the turn. A consumer makes many calls before its pin arrives, so each
// (consumer, service) is remembered for a while and asked for once. Owned by Proxy; its thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "gateway/net/event_loop.h"
#include "gateway/proxy/options.h"
#include "gateway/proxy/stats.h"
#include "gateway/route/pin_proposal.h"
#include "gateway/route/route_table.h"

namespace pinion::proxy {

class PinProposals final : private net::TurnTask {
 public:
  // `sink` null: nobody takes them, and nothing is noted.
  PinProposals(net::EventLoop& loop, Stats& stats, PinProposalSink sink)
      : loop_(loop), stats_(stats), sink_(std::move(sink)) {}

  // A call of `consumer` was routed by a policy that asks for a pin. Dropped and counted when
  // limits::kPinProposalsRemembered others were noted in the last limits::kPinProposalRest: a later
  // call asks again.
  void Note(const route::Route& route, const route::Consumer& consumer);

 private:
  void RunAtEndOfTurn() override;

  net::EventLoop& loop_;
  Stats& stats_;
  const PinProposalSink sink_;
  // Hashes of (consumer, service). Two that collide cost the second its proposal for one rest.
  absl::flat_hash_set<uint64_t> remembered_;
  absl::Time forget_at_ = absl::InfinitePast();
  std::vector<route::PinProposal> noted_;
};

}  // namespace pinion::proxy
