#include "base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pinion {
namespace {

absl::Status Unreadable(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cannot be read: ", why));
}

bool WasGivenOpen(absl::string_view path) {
  return path == "/dev/stdin" || absl::StartsWith(path, "/dev/fd/");
}

absl::Status CheckKind(mode_t mode, absl::string_view path) {
  if (S_ISREG(mode)) return absl::OkStatus();
  if (S_ISDIR(mode)) return Unreadable("it is a directory");
  if (WasGivenOpen(path)) return absl::OkStatus();
  return Unreadable(S_ISFIFO(mode) ? "it is a named pipe, not a file"
                                   : "it is a device, not a file");
}

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

// Does not wait for who might open the other end of a pipe.
absl::StatusOr<File> Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return Unreadable(std::strerror(errno));
  File file(fdopen(fd, "rb"), &std::fclose);
  struct stat info;
  if (fstat(fd, &info) != 0) return Unreadable(std::strerror(errno));
  if (const absl::Status kind = CheckKind(info.st_mode, path); !kind.ok()) return kind;
  // From here on a pipe is waited for: somebody writes to it.
  if (fcntl(fd, F_SETFL, 0) != 0) return Unreadable(std::strerror(errno));
  return file;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const absl::StatusOr<File> file = Open(path);
  if (!file.ok()) return file.status();
  std::string bytes;
  char chunk[64 * 1024];
  while (const size_t size = std::fread(chunk, 1, sizeof(chunk), file->get())) {
    bytes.append(chunk, size);
    if (bytes.size() > bytes_max) {
      return absl::InvalidArgumentError(absl::StrCat("is larger than ", bytes_max >> 20, " MiB"));
    }
  }
  if (std::ferror(file->get()) != 0) return Unreadable(std::strerror(errno));
  return bytes;
}

}  // namespace pinion
