#include "base/record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace pinion {
namespace {

constexpr char kMagic[] = "PINREC1\n";
constexpr size_t kMagicBytes = sizeof(kMagic) - 1;
constexpr size_t kHeaderBytes = 8;
constexpr size_t kBufferBytes = 256 * 1024;
// A length beyond this is rot, not a record: the stream's messages are bounded below it.
constexpr uint32_t kMaxRecordBytes = 256u << 20;

// What a byte does to a checksum after 0 to 7 further ones, so that eight are looked up at once
// ("slicing by 8", Kounavis and Berry).
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;
constexpr CrcTables MakeCrcTables() {
  constexpr uint32_t kPolynomial = 0x82f63b78;  // reversed
  CrcTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (size_t slice = 1; slice < tables.size(); ++slice) {
    for (uint32_t i = 0; i < 256; ++i) {
      const uint32_t before = tables[slice - 1][i];
      tables[slice][i] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr CrcTables kCrcTables = MakeCrcTables();

void PutU32(std::string& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

uint32_t GetU32(const char* in) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

absl::Status Failed(absl::string_view what, const std::string& path) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

uint32_t Crc32c(absl::string_view bytes, uint32_t crc) {
  crc = ~crc;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const uint32_t low = GetU32(bytes.data()) ^ crc;
    const uint32_t high = GetU32(bytes.data() + 4);
    crc = 0;
    for (int i = 0; i < 4; ++i) {
      crc ^= kCrcTables[7 - i][low >> 8 * i & 0xff] ^ kCrcTables[3 - i][high >> 8 * i & 0xff];
    }
  }
  for (const char c : bytes) {
    crc = kCrcTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("create", path);
  auto writer = std::unique_ptr<RecordWriter>(new RecordWriter(path, fd, kMagicBytes));
  writer->buffer_ = kMagic;
  return writer;
}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Continue(const std::string& path,
                                                                     int64_t bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Failed("open", path);
  auto writer = std::unique_ptr<RecordWriter>(new RecordWriter(path, fd, bytes));
  if (::ftruncate(fd, bytes) != 0) return Failed("truncate", path);
  if (::lseek(fd, bytes, SEEK_SET) < 0) return Failed("seek in", path);
  return writer;
}

RecordWriter::~RecordWriter() { ::close(fd_); }

absl::Status RecordWriter::Append(absl::string_view record) {
  std::string header;
  PutU32(header, static_cast<uint32_t>(record.size()));
  PutU32(header, Crc32c(record, Crc32c(header)));
  buffer_ += header;
  buffer_.append(record.data(), record.size());
  bytes_ += static_cast<int64_t>(kHeaderBytes + record.size());
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status RecordWriter::Flush() {
  RETURN_IF_ERROR(WriteAll(fd_, buffer_, path_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status RecordWriter::Sync() {
  RETURN_IF_ERROR(Flush());
  return ::fdatasync(fd_) == 0 ? absl::OkStatus() : Failed("sync", path_);
}

void RecordWriter::Truncate(int64_t bytes) {
  buffer_.clear();
  // A torn end that stays is found by its checksum when the file is read.
  if (::ftruncate(fd_, bytes) == 0) bytes_ = bytes;
}

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return absl::NotFoundError(absl::StrCat("no file ", path));
  if (fd < 0) return Failed("open", path);
  auto reader = std::unique_ptr<RecordReader>(new RecordReader(path, fd));
  char magic[kMagicBytes];
  ASSIGN_OR_RETURN(const size_t n, reader->Read(magic, kMagicBytes));
  if (n != kMagicBytes || std::memcmp(magic, kMagic, kMagicBytes) != 0) {
    return absl::DataLossError(
        absl::StrCat(path, " is not a file of records, or of another version"));
  }
  reader->good_bytes_ = kMagicBytes;
  return reader;
}

RecordReader::~RecordReader() { ::close(fd_); }

absl::StatusOr<size_t> RecordReader::Read(char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    if (at_ == buffer_.size()) {
      buffer_.resize(kBufferBytes);
      const ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
      buffer_.resize(n > 0 ? static_cast<size_t>(n) : 0);
      at_ = 0;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed("read", path_);
      if (n == 0) break;
    }
    const size_t part = std::min(size - done, buffer_.size() - at_);
    std::memcpy(data + done, buffer_.data() + at_, part);
    at_ += part;
    done += part;
  }
  return done;
}

absl::StatusOr<bool> RecordReader::Next(std::string& record) {
  const auto torn = [&] {
    return absl::DataLossError(absl::StrCat(path_, " is damaged behind byte ", good_bytes_));
  };
  char header[kHeaderBytes];
  ASSIGN_OR_RETURN(const size_t n, Read(header, kHeaderBytes));
  if (n == 0) return false;
  if (n != kHeaderBytes) return torn();
  const uint32_t size = GetU32(header);
  if (size > kMaxRecordBytes) return torn();
  record.resize(size);
  ASSIGN_OR_RETURN(const size_t got, Read(record.data(), size));
  if (got != size) return torn();
  if (Crc32c(record, Crc32c(absl::string_view(header, 4))) != GetU32(header + 4)) return torn();
  good_bytes_ += static_cast<int64_t>(kHeaderBytes + size);
  return true;
}

absl::Status SyncDirectory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", directory);
  const int result = ::fsync(fd);
  const absl::Status status = result == 0 ? absl::OkStatus() : Failed("sync", directory);
  ::close(fd);
  return status;
}

}  // namespace pinion
