#include "gateway/worker/process_memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pinion::worker {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// SIZE_MAX: no such file, or it says "max".
size_t ReadLimit(const std::string& path) {
  uint64_t bytes = 0;
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(ReadAll(path)), &bytes) ? bytes : SIZE_MAX;
}

// Of the group `path` and all that it is in. A container sees its own as the root, whatever it is
// called outside.
size_t SmallestLimit(const std::string& mount, std::filesystem::path path, const char* file) {
  size_t least = ReadLimit(absl::StrCat(mount, "/", file));
  for (; path.has_relative_path(); path = path.parent_path()) {
    least = std::min(least, ReadLimit(absl::StrCat(mount, path.native(), "/", file)));
  }
  return least;
}

}  // namespace

size_t MemoryUsed() {
  const std::vector<std::string> pages = absl::StrSplit(ReadAll("/proc/self/statm"), ' ');
  size_t resident = 0;
  size_t shared = 0;
  if (pages.size() < 3 || !absl::SimpleAtoi(pages[1], &resident) ||
      !absl::SimpleAtoi(pages[2], &shared) || shared > resident) {
    return 0;
  }
  return (resident - shared) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void TrimMemory() { ::malloc_trim(0); }

size_t MemoryLimit() {
  const size_t machine =
      static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return std::min(machine, CgroupMemoryLimit(ReadAll("/proc/self/cgroup"), "/sys/fs/cgroup"));
}

// A line is "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers. Source:
// cgroups(7).
size_t CgroupMemoryLimit(absl::string_view cgroups, const std::string& mount) {
  size_t least = SIZE_MAX;
  for (absl::string_view line : absl::StrSplit(cgroups, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    if (parts[0] == "0" && parts[1].empty()) {
      least = std::min(least, SmallestLimit(mount, parts[2], "memory.max"));
    } else if (std::find(controllers.begin(), controllers.end(), "memory") != controllers.end()) {
      least = std::min(
          least, SmallestLimit(absl::StrCat(mount, "/memory"), parts[2], "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace pinion::worker
