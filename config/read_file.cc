#include "config/read_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace pinion::config {

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError("cannot be read: it is a directory");
  }
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  std::string bytes;
  char chunk[64 * 1024];
  while (const size_t size = std::fread(chunk, 1, sizeof(chunk), file.get())) {
    bytes.append(chunk, size);
    if (bytes.size() > bytes_max) {
      return absl::InvalidArgumentError(absl::StrCat("is larger than ", bytes_max >> 20, " MiB"));
    }
  }
  if (std::ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  return bytes;
}

}  // namespace pinion::config
