// Follows a registry and publishes route tables: one stream at a time, resumed where it broke, and
// the last good state kept on disk and in force as long as the registry is away. Owned by main();
// has a thread of its own, on which all of gateway/watch runs.
//
//   load recording ─▶ stream ─▶ (ended, refused, silent) ─▶ wait, longer each time ─▶ stream …
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "gateway/route/route_table.h"
#include "gateway/watch/gateway_reports.h"
#include "gateway/watch/pin_proposals.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {

struct Options {
  std::string gateway_id;
  // Its address: "127.0.0.1:8081", "unix:/run/pinion.sock".
  std::string registry;
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
};

// For health, metrics and `pinion status`. `age` and `connected` tell a frozen gateway from a quiet
// one.
struct WatchStatus {
  bool connected = false;  // the registry has spoken on the present stream
  std::string registry_id;
  int64_t revision = 0;  // of the last table; 0: none yet
  // Since the registry last confirmed this revision; infinite: never in this process.
  absl::Duration age = absl::InfiniteDuration();
  bool from_disk = false;  // the last table came from the recording

  int64_t tables_published = 0;
  int64_t snapshots_received = 0;
  int64_t streams_ended = 0;
  int64_t refused = 0;  // snapshots and changes that were not taken over
  int64_t recording_failures = 0;
  PinProposals::Counts pin_proposals;
  GatewayReports::Counts reports;
  std::string problem;  // why the state is not the registry's; empty: it is
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

 private:
  class Impl;
  explicit Watcher(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::watch
