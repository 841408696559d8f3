#include "registry/archive/backup_file.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion::archive {
namespace {

using registry::v1::BackupEnd;
using registry::v1::BackupHeader;
using registry::v1::BackupPart;
using registry::v1::StoredPair;
using registry::v1::StoredPairs;

absl::Status NotWhole(absl::string_view detail) {
  return absl::DataLossError(absl::StrCat("the backup is not whole: ", detail));
}

}  // namespace

absl::Status BackupCheck::Add(const BackupPart& part) {
  if (ended_) return NotWhole("something stands behind its end");
  if (begun_ == part.has_header()) return NotWhole("it does not begin with one header");
  switch (part.part_case()) {
    case BackupPart::kHeader:
      header_ = part.header();
      begun_ = true;
      return absl::OkStatus();
    case BackupPart::kPairs:
      return AddPairs(part.pairs());
    case BackupPart::kEnd: {
      const BackupEnd end = digest_.End();
      ended_ = true;
      if (end.pairs() == part.end().pairs() && end.sha256() == part.end().sha256()) {
        return absl::OkStatus();
      }
      return NotWhole(absl::StrCat("its checksum does not fit its ", end.pairs(), " records"));
    }
    case BackupPart::PART_NOT_SET:
      break;
  }
  return NotWhole("it holds what this program does not know");
}

absl::Status BackupCheck::AddPairs(const StoredPairs& pairs) {
  for (const StoredPair& pair : pairs.pairs()) {
    if (pair.key() <= last_key_) return NotWhole("its records are not in their order");
    last_key_ = pair.key();
    digest_.Add(pair);
  }
  return absl::OkStatus();
}

absl::Status BackupCheck::CheckWhole() const {
  return ended_ ? absl::OkStatus() : NotWhole("its end is missing");
}

absl::StatusOr<BackupHeader> ReadBackupFile(
    const std::string& path, const std::function<absl::Status(const StoredPair&)>& visit) {
  ASSIGN_OR_RETURN(const auto reader, PartFileReader::Open(path, kBackupKind));
  BackupCheck check;
  BackupPart part;
  while (true) {
    ASSIGN_OR_RETURN(const bool any, reader->Next(part));
    if (!any) break;
    RETURN_IF_ERROR(check.Add(part));
    for (const StoredPair& pair : part.pairs().pairs()) RETURN_IF_ERROR(visit(pair));
  }
  RETURN_IF_ERROR(check.CheckWhole());
  return check.header();
}

}  // namespace pinion::archive
