#include "gateway/watch/schema_store.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/record_file.h"
#include "base/status_macros.h"

namespace pinion::watch {
namespace {

// A digest comes from the registry and becomes the name of a file: nothing else may.
absl::Status CheckDigest(const std::string& digest) {
  constexpr size_t kMaxDigits = 128;  // of SHA-512
  const bool hex = std::all_of(digest.begin(), digest.end(),
                               [](unsigned char c) { return absl::ascii_isxdigit(c); });
  if (hex && !digest.empty() && digest.size() <= kMaxDigits) return absl::OkStatus();
  return absl::InvalidArgumentError("a schema's digest is not hexadecimal");
}

}  // namespace

std::string SchemaStore::Path(const std::string& digest) const {
  return absl::StrCat(directory_, "/", digest);
}

absl::Status SchemaStore::Save(const std::string& digest, const std::string& schema) {
  RETURN_IF_ERROR(CheckDigest(digest));
  std::error_code error;
  if (std::filesystem::exists(Path(digest), error)) return absl::OkStatus();
  std::filesystem::create_directories(directory_, error);
  const std::string unfinished = Path(digest) + ".tmp";
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer, RecordWriter::Create(unfinished));
  RETURN_IF_ERROR(writer->Append(schema));
  // Not synced: a fleet has ten thousand of them, and changes of the routing would wait for each.
  RETURN_IF_ERROR(writer->Flush());
  if (std::rename(unfinished.c_str(), Path(digest).c_str()) != 0) {
    const int reason = errno;
    return absl::ErrnoToStatus(reason, absl::StrCat("cannot rename ", unfinished));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SchemaStore::Load(const std::string& digest) {
  RETURN_IF_ERROR(CheckDigest(digest));
  absl::StatusOr<std::string> schema = Read(digest);
  std::error_code error;
  if (absl::IsDataLoss(schema.status())) std::filesystem::remove(Path(digest), error);
  return schema;
}

absl::StatusOr<std::string> SchemaStore::Read(const std::string& digest) const {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, RecordReader::Open(Path(digest)));
  std::string schema;
  ASSIGN_OR_RETURN(const bool whole, reader->Next(schema));
  if (!whole) return absl::DataLossError(absl::StrCat(Path(digest), " is empty"));
  return schema;
}

void SchemaStore::KeepOnly(const absl::flat_hash_set<std::string>& digests) {
  std::error_code error, ignored;
  // What cannot be read or removed now is tidied another time.
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    if (!digests.contains(at->path().filename().native())) {
      std::filesystem::remove(at->path(), ignored);
    }
  }
}

}  // namespace pinion::watch
