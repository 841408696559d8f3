#include "gateway/net/open_files.h"

#include <sys/resource.h>

#include "base/check.h"

namespace pinion::net {

size_t RaiseOpenFilesLimit() {
  rlimit limit = {};
  CHECK(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace pinion::net
