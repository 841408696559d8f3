#include "gateway/access_log/writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "gateway/observability_limits.h"

namespace pinion::access_log {
namespace {

// Readable by the group, as log collectors want it; calls are nobody else's business.
constexpr mode_t kMode = 0640;
// What a pipe takes whole or not at all (PIPE_BUF of POSIX systems that matter), so that lines of
// several processes never mix.
constexpr size_t kPipeBytes = 4096;
static_assert(limits::kLogLineBytesMax <= kPipeBytes);
// How long a write to a pipe waits before it looks whether the process wants to end.
constexpr int kPatienceMilliseconds = 100;
constexpr absl::Duration kComplainEvery = absl::Minutes(1);

int OpenPath(const std::string& path) {
  // Not through the file system: it cannot open what is a socket there (a journal's).
  if (path == "/dev/stdout") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (path == "/dev/stderr") return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  // A named pipe without a reader is refused, and not waited for.
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode);
}

// The longest prefix of whole lines within `bytes_max`.
size_t WholeLines(absl::string_view lines, size_t bytes_max) {
  if (lines.size() <= bytes_max) return lines.size();
  const size_t end = lines.substr(0, bytes_max).rfind('\n');
  return end == lines.npos ? bytes_max : end + 1;
}

}  // namespace

Writer::Writer(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      thread_([writer = this] { return writer->RunRound(); }) {}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Start(Options options, const Clock& clock,
                                                      size_t sinks, uint64_t seed) {
  std::unique_ptr<Writer> writer(new Writer(std::move(options), clock));
  RETURN_IF_ERROR(writer->Open());
  for (size_t i = 0; i < sinks; ++i) {
    // The writer outlives those that use its sinks.
    writer->sinks_.push_back(std::make_unique<Sink>(
        writer->options_, clock, seed + i, [writer = writer.get()] { writer->thread_.RunSoon(); }));
  }
  writer->thread_.Start(limits::kLogFlushInterval);
  return writer;
}

Writer::~Writer() {
  stopping_ = true;
  thread_.Stop();
  while (Drain()) {
  }
  if (fd_ >= 0) ::close(fd_);
}

void Writer::Reopen() {
  reopen_ = true;
  thread_.RunSoon();
}

absl::Duration Writer::RunRound() {
  const bool reopen = reopen_.exchange(false);
  // What is there belongs into the file that was there.
  const bool more = Drain();
  if (reopen) {
    if (const absl::Status status = Open(); !status.ok()) {
      log::Error("access_log", absl::StrCat(status.message(), "; the old file stays in use"));
    }
  }
  return more ? absl::ZeroDuration() : limits::kLogFlushInterval;
}

absl::Status Writer::Open() {
  const int fd = OpenPath(options_.path);
  if (fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat("gateway.access_log: cannot open ",
                                                      options_.path, ": ", std::strerror(errno)));
  }
  struct stat about {};
  patient_ = ::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode);
  if (const int old = std::exchange(fd_, fd); old >= 0) ::close(old);
  return absl::OkStatus();
}

bool Writer::Drain() {
  // Where a ring's memory ends and begins again what is there comes in two pieces.
  constexpr int kPieces = 2;
  bool more = false;
  for (const auto& sink : sinks_) {
    Ring& ring = sink->ring();
    for (int i = 0; i < kPieces && !ring.Front().empty(); ++i) {
      const absl::string_view piece = ring.Front();
      WriteOut(piece);
      ring.Consume(piece.size());
    }
    more = more || !ring.Front().empty();
  }
  return more;
}

void Writer::WriteOut(absl::string_view lines) {
  while (!lines.empty()) {
    if (patient_ && !WaitForRoom()) return OnFailure(lines, EAGAIN);
    const size_t part = patient_ ? WholeLines(lines, kPipeBytes) : lines.size();
    const ssize_t written = ::write(fd_, lines.data(), part);
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return OnFailure(lines, written == 0 ? EIO : errno);
    lines.remove_prefix(static_cast<size_t>(written));
  }
}

// True: a write will not wait. False: the process wants to end, and there is still no reader.
bool Writer::WaitForRoom() const {
  pollfd room{fd_, POLLOUT, 0};
  while (true) {
    const int ready = ::poll(&room, 1, kPatienceMilliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;  // a write says what is wrong
    if (ready == 0 && stopping_) return false;
  }
}

void Writer::OnFailure(absl::string_view lines, int error) {
  write_failures_.Add();
  unwritten_.Add(static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n')));
  const absl::Time now = clock_.Monotonic();
  if (now < complained_ + kComplainEvery) return;
  complained_ = now;
  log::Error("access_log", absl::StrCat("cannot write to ", options_.path, ": ",
                                        std::strerror(error), "; lines are being dropped"));
}

uint64_t Writer::lines() const {
  uint64_t sum = 0;
  for (const auto& sink : sinks_) sum += sink->lines().value();
  return sum;
}

uint64_t Writer::dropped() const {
  uint64_t sum = unwritten_.value();
  for (const auto& sink : sinks_) sum += sink->dropped().value();
  return sum;
}

}  // namespace pinion::access_log
