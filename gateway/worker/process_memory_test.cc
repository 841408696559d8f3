#include "gateway/worker/process_memory.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::worker {
namespace {

class CgroupTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = directory_.Path(file);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }

  const testing::TempDirectory directory_;
  const std::string& mount_ = directory_.path();
};

TEST_F(CgroupTest, TheSmallestBoundOnTheWayUpCounts) {
  Write("a/memory.max", "5000");
  Write("a/b/memory.max", "max");
  Write("a/b/c/memory.max", "7000");
  EXPECT_EQ(CgroupMemoryLimit("0::/a/b/c\n", mount_), 5000u);
  EXPECT_EQ(CgroupMemoryLimit("0::/a\n", mount_), 5000u);
  EXPECT_EQ(CgroupMemoryLimit("0::/elsewhere\n", mount_), SIZE_MAX);
}

TEST_F(CgroupTest, AContainerSeesItsOwnAsTheRoot) {
  Write("memory.max", "4000");
  EXPECT_EQ(CgroupMemoryLimit("0::/\n", mount_), 4000u);
  EXPECT_EQ(CgroupMemoryLimit("0::/../../pod/container\n", mount_), 4000u);
}

TEST_F(CgroupTest, TheFirstVersionHasAFolderForMemory) {
  Write("memory/pod/memory.limit_in_bytes", "3000");
  Write("memory/memory.limit_in_bytes", "9223372036854771712");
  Write("memory.max", "1");
  EXPECT_EQ(CgroupMemoryLimit("5:cpu,cpuacct:/x\n4:memory:/pod\n", mount_), 3000u);
  EXPECT_EQ(CgroupMemoryLimit("4:hugetlb,memory:/pod\n", mount_), 3000u);
  EXPECT_EQ(CgroupMemoryLimit("4:memory:/gone\n", mount_), 9223372036854771712u);
}

TEST_F(CgroupTest, WhatIsNoneHasNoBound) {
  Write("memory.max", "max");
  for (const char* text : {"", "\n", "0::", "0", "x:y", "0::/\n"}) {
    EXPECT_EQ(CgroupMemoryLimit(text, mount_), SIZE_MAX) << text;
  }
}

TEST(ProcessMemoryTest, CountsWhatIsInUse) {
  constexpr size_t kBytes = 64 << 20;
  const size_t before = MemoryUsed();
  const std::vector<char> block(kBytes, 'x');
  EXPECT_GE(MemoryUsed(), before + kBytes / 2);
  EXPECT_GE(MemoryLimit(), MemoryUsed());
}

}  // namespace
}  // namespace pinion::worker
