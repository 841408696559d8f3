// What goes from a gateway to the registry that it follows: pins that first calls propose, and
// reports of what calls use. Owned by Watcher, used on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"
#include "gateway/watch/gateway_reports.h"
#include "gateway/watch/mailbox.h"
#include "gateway/watch/pin_proposals.h"
#include "gateway/watch/stream.h"
#include "gateway/watch/watch_status.h"

namespace pinion::watch {

class Uplink {
 public:
  // As in Watcher's Options. Null: nothing is proposed, nothing reported.
  using CollectUsage = std::function<void(std::function<void(route::Usage)> take)>;
  struct Options {
    std::string gateway_id;
    std::shared_ptr<PinProposals> pin_proposals;
    CollectUsage collect_usage;
    size_t workers = 1;
    absl::Duration report_interval;
  };

  // Posts kProposals and kCollected to `mailbox` while it lives.
  Uplink(Options options, std::shared_ptr<Mailbox> mailbox, absl::BitGenRef random);
  ~Uplink();
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  // When Collect() has something to do for a gateway that routes by `revision`; 0: by none yet.
  absl::Time collection_due(int64_t revision) const;
  // When Send() may have something although nothing was posted.
  absl::Time sending_due() const;
  // Asks the workers if it is due, also while the registry is away. They hear of tables in their
  // order, so they have that of `revision`.
  void Collect(int64_t revision, absl::Time now);
  // Sends what there is. REQUIRES: the registry is heard.
  void Send(Channel& channel, const std::string& registry_id, absl::Time now);
  // kProposed, kReported: what became of it.
  void Take(const Event& event, absl::Time now);

  // Any thread.
  void Tell(WatchStatus& status) const;

 private:
  const Options options_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<GatewayReports> reports_;  // null: none; Add() by the workers
  std::string proposal_problem_;                   // of the last batch
  std::string report_problem_;                     // of the last report
};

}  // namespace pinion::watch
