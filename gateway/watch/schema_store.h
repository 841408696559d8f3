// The schemas of the versions that a gateway routes to, on disk, so that it answers reflection also
// when it starts while the registry is away. Each is a file of its own, named by its digest and
// never changed: a new snapshot writes none of them again, and a start reads them after the first
// table is in force. Owned by Watcher, used on its thread.
//
//   DIR/schemas/DIGEST       one record (record_file.h)
//   DIR/schemas/DIGEST.tmp   one that is being written
#pragma once

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pinion::watch {

class SchemaStore {
 public:
  // `directory` need not be there yet.
  explicit SchemaStore(std::string directory) : directory_(std::move(directory)) {}

  // It outlives this process; what a machine that loses power makes of it, Load() notices.
  // InvalidArgument: `digest` is not hexadecimal.
  absl::Status Save(const std::string& digest, const std::string& schema);
  // NotFound; DataLoss: what was there is torn or rotten, and is removed.
  absl::StatusOr<std::string> Load(const std::string& digest);
  // Removes all others, as far as that can be done.
  void KeepOnly(const absl::flat_hash_set<std::string>& digests);

 private:
  absl::StatusOr<std::string> Read(const std::string& digest) const;
  std::string Path(const std::string& digest) const;

  const std::string directory_;
};

}  // namespace pinion::watch
