// A file of records, each with its own checksum, so that a torn or rotten end is noticed and what
// stands before it stays usable. One thread. Does no more I/O than told.
//
//   "PINREC1\n"  then for each record:  length (4 bytes, little endian)  CRC-32C  bytes
//
// The checksum covers the length and the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pinion {

// CRC-32C (Castagnoli) of `bytes`, continued from `crc` of what stood before them.
uint32_t Crc32c(absl::string_view bytes, uint32_t crc = 0);

// Owns the descriptor. After an error only Truncate() and the destructor may be called.
class RecordWriter {
 public:
  // A new file; one that exists is overwritten.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(const std::string& path);
  // Goes on at `bytes`, where what is valid ends; what stands behind is cut off.
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Continue(const std::string& path,
                                                                int64_t bytes);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Buffers; written in large pieces, by Flush() and by Sync().
  absl::Status Append(absl::string_view record);
  // What was appended outlives this process from here on.
  absl::Status Flush();
  // Returns when everything is on the disk.
  absl::Status Sync();
  // Cuts the file back to `bytes`: the best that can be done after a failed write.
  void Truncate(int64_t bytes);

  // Of the file with what was appended.
  int64_t bytes() const { return bytes_; }

 private:
  RecordWriter(std::string path, int fd, int64_t bytes)
      : path_(std::move(path)), fd_(fd), bytes_(bytes) {}

  const std::string path_;
  const int fd_;
  int64_t bytes_;
  std::string buffer_;
};

class RecordReader {
 public:
  // NotFound: no such file. DataLoss: not a file of records.
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const std::string& path);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // False at the end. DataLoss: what follows is torn or rotten; nothing more can be read.
  absl::StatusOr<bool> Next(std::string& record);

  // Where the last good record ends.
  int64_t good_bytes() const { return good_bytes_; }

 private:
  RecordReader(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  // How many of `size` bytes were there.
  absl::StatusOr<size_t> Read(char* data, size_t size);

  const std::string path_;
  const int fd_;
  int64_t good_bytes_ = 0;
  std::string buffer_;
  size_t at_ = 0;
};

// Makes a rename or a new file in `directory` survive a crash.
absl::Status SyncDirectory(const std::string& directory);

}  // namespace pinion
