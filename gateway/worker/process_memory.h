// The memory of this process and what bounds it, as the kernel tells. Thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace pinion::worker {

// What cannot be dropped and read again (anonymous resident memory), in bytes. Source: proc(5),
// statm. Not the kernel's own, for example what waits in sockets.
size_t MemoryUsed();

// Gives what was freed back to the system. Takes as long as there are pieces of it, and whoever
// allocates may wait meanwhile.
void TrimMemory();

// What the process may use, in bytes: the smallest bound of its cgroups, at most the machine's
// memory.
size_t MemoryLimit();

// The smallest bound of the cgroups that `cgroups` names, the contents of /proc/self/cgroup, both
// versions; SIZE_MAX without one. `mount`: /sys/fs/cgroup.
size_t CgroupMemoryLimit(absl::string_view cgroups, const std::string& mount);

}  // namespace pinion::worker
