#include "config/password_file.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/read_file.h"

namespace pinion::config {
namespace {

constexpr size_t kMaxPasswordBytes = 4096;

}  // namespace

absl::StatusOr<std::string> ReadPasswordFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxPasswordBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", text.status().message()));
  }
  const absl::string_view password = absl::StripTrailingAsciiWhitespace(*text);
  if (!password.empty()) return std::string(password);
  return absl::InvalidArgumentError(absl::StrCat(path, ": holds no password"));
}

}  // namespace pinion::config
