// Who writes the next record of which chain of the audit log. A change takes a chain for the time
// of its commit, so that no two of this process ever write one chain at once; the head is compared
// in the transaction, so that other registries on the store cannot either. Thread-safe; owned by
// Registry.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "pinion/registry/v1/audit.pb.h"
#include "pinion/registry/v1/backup.pb.h"
#include "registry/model/audit_chain.h"
#include "registry/store/store.h"

namespace pinion::service {

class AuditChains {
 public:
  // What is known of a key: its record, and the revision of its last change (0: absent).
  struct Head {
    registry::v1::AuditHead value;
    store::Revision revision = 0;
  };
  struct Format {
    registry::v1::StoreFormat value;
    store::Revision revision = 0;
  };

  // A chain in the hands of one change; the destructor gives it back. Stays on one thread, and dies
  // before its AuditChains.
  class Turn {
   public:
    Turn(AuditChains& chains, int32_t number, Head head, Format format)
        : chains_(chains), number_(number), head_(std::move(head)), format_(std::move(format)) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    // Records are chained; if not, the store has the format from before there were chains.
    bool chained() const { return number_ != 0; }
    // Where the chain is. What follows in it gets greater ids.
    const registry::v1::AuditHead& head() const { return head_.value; }

    // Makes `txn` hold only if nobody else has written the chain since, and go on with it to
    // `next`.
    void Guard(const registry::v1::AuditHead& next, store::Txn& txn) const;
    // What came of it. False: another registry has written the chain, or the store was migrated;
    // what they did is known now, and the transaction may be made anew.
    absl::StatusOr<bool> Ended(const store::TxnResult& result, const registry::v1::AuditHead& next);

   private:
    std::string Key() const;

    AuditChains& chains_;
    const int32_t number_;  // 0: none
    Head head_;
    Format format_;
  };

  AuditChains();

  // The store's format, as whoever opens the store has read it; before the first turn.
  void SetFormat(Format format);
  Format format();

  // Waits until a chain is free. `begin`: also in a store that has none yet.
  Turn Take(bool begin);

 private:
  void GiveBack(int32_t number, Head head);

  Mutex mutex_;
  CondVar freed_;
  // Those that were given back last come first: few of them are used as long as few are needed.
  std::deque<int32_t> free_ ABSL_GUARDED_BY(mutex_);
  std::vector<Head> heads_ ABSL_GUARDED_BY(mutex_);  // by number; as they were last seen
  Format format_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::service
