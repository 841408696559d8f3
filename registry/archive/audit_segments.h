// Exported audit logs: a directory of files, each of which goes on where the one before it ended.
//
//   DIR/audit-000001.segment   begin, entries …, end (AuditLogPart)
//   DIR/audit-000002.segment   …
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pinion/registry/v1/audit.pb.h"
#include "registry/archive/part_file.h"
#include "registry/model/audit_verifier.h"

namespace pinion::archive {

// The files of a directory in their order; of a file itself only that. NotFound: there is no such
// place, or no segment in it.
absl::StatusOr<std::vector<std::string>> SegmentsAt(const std::string& path);

// Where the last of them ends. DataLoss: it is damaged, or no such file.
absl::StatusOr<registry::v1::AuditLogState> EndOfSegments(const std::vector<std::string>& paths);

// Verifies files that follow each other, from where the first begins to where the last ends.
// DataLoss: one of them is no such file; what is wrong with the records is in the verifier.
absl::StatusOr<std::unique_ptr<model::AuditVerifier>> VerifySegments(
    const std::vector<std::string>& paths,
    const std::vector<registry::v1::AuditLogState>& exported_heads);

// Takes what ReadAuditLog sends and writes it behind the segments that are there. One thread.
class SegmentWriter {
 public:
  // Makes the directory if there is none. `records_max`: of one file, at least 1.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Open(const std::string& directory,
                                                             int64_t records_max);

  // Where to go on: ReadAuditLogRequest.after.
  const registry::v1::AuditLogState& after() const { return after_; }

  // FailedPrecondition: the log does not go on where the directory ends, or has no chains yet.
  absl::Status Add(const registry::v1::AuditLogPart& part);

  // After the end has come.
  const model::AuditVerifier& verifier() const { return *verifier_; }
  const std::vector<std::string>& written() const { return written_; }

 private:
  SegmentWriter(std::string directory, int64_t records_max)
      : directory_(std::move(directory)), records_max_(records_max) {}
  absl::Status Begin(const registry::v1::AuditLogState& begin);
  absl::Status AddEntries(const registry::v1::AuditEntries& entries);
  absl::Status CloseSegment();

  const std::string directory_;
  const int64_t records_max_;
  registry::v1::AuditLogState after_;
  int64_t next_number_ = 1;
  registry::v1::AuditLogState begin_;  // of the log, then of the segment that comes
  std::unique_ptr<model::AuditVerifier> verifier_;
  std::unique_ptr<PartFileWriter> file_;  // null: nothing has come for the next segment
  std::string path_;
  int64_t records_ = 0;  // in it
  std::vector<std::string> written_;
};

}  // namespace pinion::archive
