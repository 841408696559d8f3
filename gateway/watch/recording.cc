#include "gateway/watch/recording.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gateway/watch_limits.h"
#include "google/protobuf/arena.h"

namespace pinion::watch {

using registry::v1::WatchResponse;

namespace {

// Most messages of a snapshot fit.
constexpr size_t kArenaBytes = 2 * 1024 * 1024;

absl::Status Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat("cannot rename ", from));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Recording>> Recording::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const std::string path = absl::StrCat(directory, "/lock");
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    const int reason = errno;
    return absl::ErrnoToStatus(reason, absl::StrCat("cannot keep snapshots in ", directory));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return absl::AlreadyExistsError(absl::StrCat("another gateway keeps its snapshots in ",
                                                 directory, ": give each its own directory"));
  }
  return std::unique_ptr<Recording>(new Recording(directory, lock));
}

Recording::~Recording() { ::close(lock_); }

std::string Recording::Path(const char* suffix) const {
  return absl::StrCat(directory_, "/routing.snapshot", suffix);
}

absl::Status Recording::Load(RoutingState& state, std::vector<std::string>& remarks) {
  int64_t good_bytes = 0;
  const absl::Status current = LoadFile(Path(""), state, good_bytes, remarks);
  current_is_bad_ = !current.ok();
  if (current.ok()) {
    ASSIGN_OR_RETURN(writer_, RecordWriter::Continue(Path(""), good_bytes));
    return absl::OkStatus();
  }
  const absl::Status previous = LoadFile(Path(".previous"), state, good_bytes, remarks);
  if (previous.ok() || absl::IsNotFound(current)) {
    if (!absl::IsNotFound(current)) remarks.push_back(std::string(current.message()));
    return previous;
  }
  return current;
}

absl::Status Recording::LoadFile(const std::string& path, RoutingState& state, int64_t& good_bytes,
                                 std::vector<std::string>& remarks) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, RecordReader::Open(path));
  state.BeginStream();
  std::string record;
  // A message of a thousand resources is a hundred thousand small objects: they come and go with
  // the arena, whose first block is used for each message again.
  std::vector<char> block(kArenaBytes);
  google::protobuf::ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  google::protobuf::Arena arena(options);
  while (true) {
    arena.Reset();
    auto& message = *google::protobuf::Arena::CreateMessage<WatchResponse>(&arena);
    const absl::StatusOr<bool> next = reader->Next(record);
    if (next.ok() && !*next) break;
    absl::Status status = next.status();
    if (status.ok() && !message.ParseFromString(record)) {
      status = absl::DataLossError(absl::StrCat(path, " has a record that is no message"));
    }
    if (snapshot_bytes_ > 0 && absl::IsDataLoss(status)) {
      remarks.push_back(std::string(status.message()));
      break;
    }
    if (status.ok()) {
      // Half taken in, it spoils what came before it too.
      if (const absl::Status received = state.Receive(message); !received.ok()) {
        status = absl::DataLossError(
            absl::StrCat(path, " has a record that cannot be used: ", received.message()));
      }
    }
    if (!status.ok()) snapshot_bytes_ = 0;
    RETURN_IF_ERROR(status);
    good_bytes = reader->good_bytes();
    if (message.snapshot().last()) snapshot_bytes_ = good_bytes;
  }
  if (!state.changed()) {
    return absl::DataLossError(absl::StrCat(path, " has no whole snapshot"));
  }
  return absl::OkStatus();
}

void Recording::Stage(const WatchResponse& message) {
  if (message.has_snapshot() && message.snapshot().first()) {
    Discard();
    auto writer = RecordWriter::Create(Path(".tmp"));
    staging_ = writer.status();
    if (writer.ok()) staged_snapshot_ = *std::move(writer);
  }
  if (message.has_snapshot() && staged_snapshot_ != nullptr && staging_.ok()) {
    staging_ = staged_snapshot_->Append(message.SerializeAsString());
    snapshot_is_whole_ = message.snapshot().last();
  }
  const bool recordable = writer_ != nullptr || staged_snapshot_ != nullptr;
  if (message.has_changes() && recordable) {
    staged_changes_.push_back(message.SerializeAsString());
  }
}

void Recording::Discard() {
  staged_snapshot_.reset();
  snapshot_is_whole_ = false;
  staging_ = absl::OkStatus();
  staged_changes_.clear();
}

absl::Status Recording::Commit() {
  absl::Status status = std::exchange(staging_, absl::OkStatus());
  if (status.ok() && snapshot_is_whole_) status = CommitSnapshot();
  if (status.ok() && writer_ != nullptr && !staged_changes_.empty()) status = CommitChanges();
  if (!status.ok()) writer_.reset();
  Discard();
  return status;
}

absl::Status Recording::CommitSnapshot() {
  RETURN_IF_ERROR(staged_snapshot_->Sync());
  writer_.reset();
  if (!current_is_bad_) {
    const absl::Status kept = Rename(Path(""), Path(".previous"));
    if (!kept.ok() && !absl::IsNotFound(kept)) return kept;
  }
  RETURN_IF_ERROR(Rename(Path(".tmp"), Path("")));
  current_is_bad_ = false;
  RETURN_IF_ERROR(SyncDirectory(directory_));
  writer_ = std::move(staged_snapshot_);
  wants_sync_ = false;
  snapshot_bytes_ = writer_->bytes();
  return absl::OkStatus();
}

absl::Status Recording::CommitChanges() {
  const int64_t good_bytes = writer_->bytes();
  absl::Status status;
  for (const std::string& record : staged_changes_) {
    if (status.ok()) status = writer_->Append(record);
  }
  if (status.ok()) status = writer_->Flush();
  if (!status.ok()) writer_->Truncate(good_bytes);
  wants_sync_ |= status.ok();
  return status;
}

absl::Status Recording::Sync() {
  if (!std::exchange(wants_sync_, false) || writer_ == nullptr) return absl::OkStatus();
  absl::Status status = writer_->Sync();
  if (!status.ok()) writer_.reset();
  return status;
}

bool Recording::wants_snapshot() const {
  if (writer_ == nullptr) return true;
  const int64_t enough = std::max(snapshot_bytes_, limits::kRecordedChangesBytesMin);
  return static_cast<double>(writer_->bytes() - snapshot_bytes_) >
         static_cast<double>(enough) * patience_;
}

}  // namespace pinion::watch
