// What this gateway tells the registry of its calls: collected from all workers at every interval,
// merged, and sent in reports of a bounded size, one at a time. While the registry is away all of
// it is kept here, as many rows as before; when there is no room for more, calls are counted by
// version only. A report whose answer was lost is sent again under the number that it had, so that
// the registry can tell.
//
//   BeginCollection() ─▶ workers ── Add() each ──▶ rows ── TakeReport() ──▶ ReportGateway call
//                                                   ▲                             │
//                                                   └── the same one again ◀── Answer()
//
// What is lost: what was counted since the last report when the process ends, and what the registry
// refuses. Add() from any thread, the rest on the watcher's thread. Shared by the watcher and what
// it posts to workers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/route/usage.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

struct ReportOptions {
  std::string start_id;  // hexadecimal digits; of no other start of a gateway
  size_t workers = 1;    // that answer each collection
  absl::Duration interval;
};

class GatewayReports {
 public:
  struct Counts {
    int64_t taken = 0;          // reports
    int64_t refused = 0;        // reports, by the registry or by one that knows none
    int64_t dropped_calls = 0;  // for want of room, or with a refused report
    int64_t waiting_rows = 0;   // now, those on their way included
  };

  explicit GatewayReports(ReportOptions options) : options_(std::move(options)) {}

  // `wake` is called from Add() when all workers have answered; it must not block or call back.
  // Null: not any more.
  void WakeWith(std::function<void()> wake);

  // When the next collection begins: at once, then at every interval.
  absl::Time collection_due() const;
  // Begins one, of workers that route by `revision` or later; its number, for Add(). One that not
  // all workers have answered ends here.
  int64_t BeginCollection(int64_t revision, absl::Time now);
  // One worker's answer, which only waits here: rows are merged on the watcher's thread. What comes
  // late still counts, but for its open calls.
  void Add(int64_t collection, route::Usage usage);

  // What to send now, without the gateway's and the registry's ids; nullopt: nothing, or not yet,
  // or a report is on its way. Else Answer() follows.
  std::optional<registry::v1::ReportGatewayRequest> TakeReport(absl::Time now);
  // When TakeReport() may have something although nobody calls `wake`.
  absl::Time due() const;
  // What became of the report. After an error that may pass it is sent again.
  void Answer(const absl::Status& status, absl::Time now);

  Counts counts() const;

 private:
  struct Key {
    std::string service;
    std::string version;
    std::string consumer;
    std::string method;
    bool others = false;

    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Count {
    uint64_t calls = 0;
    absl::Time last = absl::InfinitePast();

    void Add(const Count& more);
  };
  using Rows = std::map<Key, Count>;  // those of a version together
  using OpenCalls = std::map<std::pair<std::string, std::string>, uint64_t>;
  // What all workers said at the same time.
  struct Collection {
    int64_t number = 0;
    int64_t revision = 0;
    size_t missing = 0;  // workers
    OpenCalls open;
  };
  struct Report {
    int64_t sequence = 0;
    std::vector<std::pair<Key, Count>> rows;
    Collection state;
  };

  void MergeArrived() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddRow(Key key, const Count& count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  registry::v1::ReportGatewayRequest ToMessage(const Report& report, absl::Time now) const;

  const ReportOptions options_;
  mutable absl::Mutex mutex_;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_collection_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  Collection collecting_ ABSL_GUARDED_BY(mutex_);
  std::optional<Collection> collected_ ABSL_GUARDED_BY(mutex_);  // the last whole one
  bool unsaid_ ABSL_GUARDED_BY(mutex_) = false;                  // no report tells of it yet
  std::vector<std::vector<route::UsageRow>> arrived_ ABSL_GUARDED_BY(mutex_);  // by Add()
  Rows rows_ ABSL_GUARDED_BY(mutex_);
  int64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Report> sent_ ABSL_GUARDED_BY(mutex_);  // and not known to be taken
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time next_report_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  Counts counts_ ABSL_GUARDED_BY(mutex_);  // but for `waiting_rows`
};

}  // namespace pinion::watch
