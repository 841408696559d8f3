// What a backup's end says of the pairs before it. Pure.
#pragma once

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "pinion/registry/v1/backup.pb.h"

namespace pinion::model {

class BackupDigest {
 public:
  void Add(const registry::v1::StoredPair& pair) {
    ++pairs_;
    digest_.Add(absl::StrCat(pair.key().size(), " ", pair.value().size(), " ", pair.lease(), "\n"));
    digest_.Add(pair.key());
    digest_.Add(pair.value());
  }
  int64_t pairs() const { return pairs_; }
  // Call it once.
  registry::v1::BackupEnd End() {
    registry::v1::BackupEnd end;
    end.set_pairs(pairs_);
    end.set_sha256(digest_.Hex());
    return end;
  }

 private:
  int64_t pairs_ = 0;
  Sha256 digest_;
};

}  // namespace pinion::model
