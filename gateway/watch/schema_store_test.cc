#include "gateway/watch/schema_store.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::watch {
namespace {

namespace fs = std::filesystem;

class SchemaStoreTest : public ::testing::Test {
 protected:
  const testing::TempDirectory directory_;
  SchemaStore store_{directory_.path()};
};

TEST_F(SchemaStoreTest, GivesBackWhatWasSaved) {
  EXPECT_TRUE(absl::IsNotFound(store_.Load("0a").status()));
  const std::string large(300'000, '\0');
  ASSERT_TRUE(store_.Save("0a", large).ok());
  ASSERT_TRUE(store_.Save("0b", "").ok());
  EXPECT_EQ(*store_.Load("0a"), large);
  EXPECT_EQ(*store_.Load("0b"), "");
  ASSERT_TRUE(store_.Save("0a", "what a digest stands for never changes").ok());
  EXPECT_EQ(*store_.Load("0a"), large);
}

TEST_F(SchemaStoreTest, TornAndRottenOnesAreNoticed) {
  ASSERT_TRUE(store_.Save("0a", "a schema").ok());
  const std::string path = directory_.Path("0a");
  const auto size = fs::file_size(path);
  for (uintmax_t bytes = 0; bytes < size; ++bytes) {
    fs::resize_file(path, bytes);
    EXPECT_TRUE(absl::IsDataLoss(store_.Load("0a").status())) << bytes;
    ASSERT_TRUE(store_.Save("0a", "a schema").ok());
    EXPECT_EQ(*store_.Load("0a"), "a schema") << "what was torn makes room";
  }
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end)
      << 'X';
  EXPECT_TRUE(absl::IsDataLoss(store_.Load("0a").status()));
}

TEST_F(SchemaStoreTest, ForgetsWhatNoVersionHas) {
  store_.KeepOnly({"0a"});  // without a directory
  for (const char* digest : {"0a", "0b", "0c"}) ASSERT_TRUE(store_.Save(digest, digest).ok());
  std::ofstream(directory_.Path("0d.tmp")) << "left by a crash";
  store_.KeepOnly({"0a", "0c", "ff"});
  EXPECT_TRUE(store_.Load("0a").ok());
  EXPECT_TRUE(absl::IsNotFound(store_.Load("0b").status()));
  EXPECT_TRUE(store_.Load("0c").ok());
  EXPECT_FALSE(fs::exists(directory_.Path("0d.tmp")));
}

TEST_F(SchemaStoreTest, DigestsAreNoPaths) {
  for (const char* digest : {"", "../0a", "0a/../../x", "0g"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_.Save(digest, "x"))) << digest;
    EXPECT_TRUE(absl::IsInvalidArgument(store_.Load(digest).status())) << digest;
  }
}

}  // namespace
}  // namespace pinion::watch
