// How many files the process may have open, its sockets included.
#pragma once

#include <cstddef>

namespace pinion::net {

// Raises that limit as far as the process itself may (RLIMIT_NOFILE: from soft to hard), and
// returns it. Once, before there are many threads.
size_t RaiseOpenFilesLimit();

}  // namespace pinion::net
