#include "gateway/net/open_files.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace pinion::net {
namespace {

TEST(OpenFiles, AreAsManyAsTheProcessMayHave) {
  rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit lower = {.rlim_cur = limit.rlim_max / 2, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  EXPECT_EQ(RaiseOpenFilesLimit(), limit.rlim_max);
  EXPECT_EQ(RaiseOpenFilesLimit(), limit.rlim_max) << "again changes nothing";
}

}  // namespace
}  // namespace pinion::net
