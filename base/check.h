// CHECK: for what only a mistake in this program can break. What a peer or the world can cause is
// never checked but handled.
#pragma once

namespace pinion {

// Prints the failed condition with its place to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace pinion

#define CHECK(condition)                        \
  (__builtin_expect(!!(condition), 1) ? (void)0 \
                                      : ::pinion::CheckFailed(#condition, __FILE__, __LINE__))

// As CHECK, only in builds without NDEBUG: for the per-frame path. Never has side effects.
#ifdef NDEBUG
#define DCHECK(condition) ((void)sizeof(!(condition)))
#else
#define DCHECK(condition) CHECK(condition)
#endif
