#include "registry/service/blobs.h"

#include "base/status_macros.h"
#include "registry/model/keys.h"

namespace pinion::service {
namespace {

// Two parts of a set and their keys fit a transaction's bytes.
constexpr size_t kBlobPartBytes = 512 * 1024;

}  // namespace

absl::Status WriteBlob(store::Store& store, const std::string& sha256, absl::string_view bytes) {
  for (int64_t part = 0; !bytes.empty(); ++part) {
    const std::string key = model::BlobKey(sha256, part);
    const absl::string_view piece = bytes.substr(0, kBlobPartBytes);
    bytes.remove_prefix(piece.size());
    RETURN_IF_ERROR(store
                        .Commit({.compares = {store::Compare::Absent(key)},
                                 .then = {store::Put{key, std::string(piece)}}})
                        .status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadBlob(Draft& draft, const registry::v1::VersionRecord& record) {
  std::string bytes;
  const int64_t size = record.blob_bytes();
  for (int64_t part = 0; static_cast<int64_t>(bytes.size()) < size; ++part) {
    ASSIGN_OR_RETURN(const store::RangeResult range,
                     draft.Range({.range = store::KeyRange::Single(
                                      model::BlobKey(record.blob_sha256(), part))}));
    if (range.kvs.empty()) return absl::DataLossError("a part of the descriptor set is missing");
    bytes += range.kvs[0].value;
  }
  return bytes;
}

}  // namespace pinion::service
