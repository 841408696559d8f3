// The last good state on disk: the watch stream's own messages as they were received, a snapshot
// and then the changes behind it. A gateway starts from it when the registry is away. Owned by
// Watcher, used on its thread.
//
//   DIR/routing.snapshot            records: SnapshotChunk first … last, then ChangeBatch …
//   DIR/routing.snapshot.previous   the last good one before
//   DIR/routing.snapshot.tmp        a snapshot that is being received
//   DIR/lock                        held while a process uses the directory
//
// A file that ends too early, at whatever byte, is either still a good state of an earlier revision
// or has no whole snapshot, and then the previous one counts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/record_file.h"
#include "gateway/watch/routing_state.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::watch {

class Recording {
 public:
  // Makes the directory if there is none. AlreadyExists: another process uses it.
  static absl::StatusOr<std::unique_ptr<Recording>> Open(const std::string& directory);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Puts the newest whole state into `state`, whose table may then be taken. NotFound: there is
  // none. DataLoss: what is there cannot be used. A remark about something unusable is in
  // `remarks`.
  absl::Status Load(RoutingState& state, std::vector<std::string>& remarks);

  // Notes what `state` has received. Nothing of it counts before Commit().
  void Stage(const registry::v1::WatchResponse& message);
  void Discard();
  // Whether that is a whole snapshot.
  bool snapshot_staged() const { return snapshot_is_whole_; }
  // Writes what was staged: changes so that they outlive this process, a snapshot also the machine.
  // After an error nothing is recorded any more until the next snapshot.
  absl::Status Commit();
  // Whether a change was written that would not outlive the machine.
  bool wants_sync() const { return wants_sync_; }
  // Returns when all that was committed is on the disk. After an error as Commit().
  absl::Status Sync();

  // Whether only a fresh snapshot helps: none is recorded, or too many changes stand behind it.
  bool wants_snapshot() const;
  // So that gateways which follow the same changes do not all ask at once: 1 to 2, multiplied with
  // how many changes are too many.
  void set_patience(double factor) { patience_ = factor; }

 private:
  Recording(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  std::string Path(const char* suffix) const;
  absl::Status LoadFile(const std::string& path, RoutingState& state, int64_t& good_bytes,
                        std::vector<std::string>& remarks);
  absl::Status CommitSnapshot();
  absl::Status CommitChanges();

  const std::string directory_;
  const int lock_;
  double patience_ = 1;

  std::unique_ptr<RecordWriter> writer_;  // of the current file; null: nothing can be added to it
  bool current_is_bad_ = false;           // Load() could not use it: it is not kept as the previous
  bool wants_sync_ = false;
  int64_t snapshot_bytes_ = 0;
  std::unique_ptr<RecordWriter> staged_snapshot_;
  bool snapshot_is_whole_ = false;
  absl::Status staging_;
  std::vector<std::string> staged_changes_;
};

}  // namespace pinion::watch
