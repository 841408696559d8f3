// A file of messages that is either whole or not there: written beside its name, synced, and
// renamed when it is finished. Records are those of base/record_file.h; the first one says what the
// file is and in which layout, "pinion backup 1". One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/record_file.h"
#include "google/protobuf/message.h"

namespace pinion::archive {

inline constexpr char kBackupKind[] = "pinion backup 1";
inline constexpr char kAuditKind[] = "pinion audit log 1";

class PartFileWriter {
 public:
  // AlreadyExists: nothing is overwritten. Others say why it cannot be written.
  static absl::StatusOr<std::unique_ptr<PartFileWriter>> Create(const std::string& path,
                                                                absl::string_view kind);
  // Unless it was finished, nothing is left.
  ~PartFileWriter();
  PartFileWriter(const PartFileWriter&) = delete;
  PartFileWriter& operator=(const PartFileWriter&) = delete;

  absl::Status Append(const google::protobuf::Message& part);
  // Durable, under its name, when it returns OK.
  absl::Status Finish();
  int64_t bytes() const { return writer_->bytes(); }

 private:
  PartFileWriter(std::string path, std::unique_ptr<RecordWriter> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  const std::string path_;
  std::unique_ptr<RecordWriter> writer_;
  bool finished_ = false;
};

class PartFileReader {
 public:
  // NotFound; DataLoss: it is no such file.
  static absl::StatusOr<std::unique_ptr<PartFileReader>> Open(const std::string& path,
                                                              absl::string_view kind);

  // False at the end of the file. DataLoss: it is torn or damaged.
  absl::StatusOr<bool> Next(google::protobuf::Message& part);

 private:
  PartFileReader(std::string path, std::unique_ptr<RecordReader> reader)
      : path_(std::move(path)), reader_(std::move(reader)) {}

  const std::string path_;
  std::unique_ptr<RecordReader> reader_;
  std::string record_;
};

}  // namespace pinion::archive
