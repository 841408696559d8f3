// Follows a registry and publishes route tables: one stream at a time, resumed where it broke, at
// another of the registry's addresses if it has several, and the last good state kept on disk and
// in force as long as the registry is away. Owned by main(); has a thread of its own, on which all
// of gateway/watch runs.
//
//   load recording ─▶ stream ─▶ (ended, refused, silent) ─▶ wait (registry_choice.h) ─▶ stream …
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dial/credentials.h"
#include "gateway/route/route_table.h"
#include "gateway/watch/pin_proposals.h"
#include "gateway/watch/watch_status.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {

struct Options {
  std::string gateway_id;
  // Its address ("127.0.0.1:8081", "unix:/run/pinion.sock"), or those of its replicas, which have
  // one store. At least one.
  std::vector<std::string> registries;
  dial::Credentials credentials;  // that it is shown
  // Where the last good state is kept; empty: nowhere.
  std::string snapshot_dir;
  // What calls propose; null: nothing is proposed.
  std::shared_ptr<PinProposals> pin_proposals;
  // Asks each of `workers` for what its calls used since the last time; null: nothing is reported.
  // Called on the watcher's thread; `take` is called by any, once for each of them, also when the
  // watcher is gone.
  std::function<void(std::function<void(route::Usage)> take)> collect_usage;
  size_t workers = 1;
  absl::Duration report_interval = limits::kReportInterval;
  // An operator's word that this registry may replace what the gateway follows; empty: none.
  std::string accepted_registry_id;
  // What an operator types before a registry's id to accept what is refused; messages say it.
  std::string accept_command = "pinion gateway accept";
  // A stream that says nothing for so long is dead.
  absl::Duration silence_max = limits::kWatchSilenceMax;
};

class Watcher {
 public:
  // Called on the watcher's thread, for each table; must not block.
  using Publish = std::function<void(std::shared_ptr<const route::RouteTable>)>;

  // AlreadyExists or another error: the snapshot directory cannot be used. A registry that is away
  // is no error.
  static absl::StatusOr<std::unique_ptr<Watcher>> Start(Options options, Publish publish,
                                                        Clock& clock = SystemClock());
  // Ends the stream and the thread; nothing is published any more.
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Any thread.
  WatchStatus status() const;

  // An operator's word that what status().refusal says of this registry is right: its next snapshot
  // is taken over, soon. FailedPrecondition: nothing is refused that a word could help.
  // InvalidArgument: not of this registry. Any thread.
  absl::Status Accept(const std::string& registry_id);

 private:
  class Impl;
  explicit Watcher(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::watch
