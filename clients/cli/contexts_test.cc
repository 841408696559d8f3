#include "clients/cli/contexts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ContextsTest : public ::testing::Test {
 protected:
  const testing::TempDirectory folder_;
  const std::string path_ = folder_.Path("pinion/contexts.yaml");
};

absl::Status Add(const std::string& path, const std::string& name) {
  return ChangeContexts(path, [&name](command::v1::Contexts& contexts) {
    command::v1::Context& context = *contexts.add_contexts();
    context.set_name(name);
    context.set_registry(absl::StrCat("unix:/run/", name, " <1>.sock"));
    context.set_tls_name("");
    return absl::OkStatus();
  });
}

TEST(ContextsPathTest, FollowsTheXdgSpecification) {
  const auto with = [](std::optional<std::string> xdg, std::optional<std::string> home) {
    return ContextsPath(
        [=](const char* name) { return std::string_view(name) == "HOME" ? home : xdg; });
  };
  EXPECT_EQ(with("/x", "/h"), "/x/pinion/contexts.yaml");
  EXPECT_EQ(with(std::nullopt, "/h"), "/h/.config/pinion/contexts.yaml");
  EXPECT_EQ(with("relative", "/h"), "/h/.config/pinion/contexts.yaml");
  EXPECT_EQ(with(std::nullopt, std::nullopt), "");
}

TEST_F(ContextsTest, WhatIsWrittenIsReadBack) {
  EXPECT_EQ(LoadContexts(path_)->contexts_size(), 0) << "no file: no contexts";
  ASSERT_TRUE(Add(path_, "a").ok());
  ASSERT_TRUE(Add(path_, "true").ok());
  const absl::StatusOr<command::v1::Contexts> contexts = LoadContexts(path_);
  ASSERT_TRUE(contexts.ok()) << contexts.status();
  ASSERT_EQ(contexts->contexts_size(), 2);
  EXPECT_EQ(contexts->contexts(0).registry(), "unix:/run/a <1>.sock");
  EXPECT_FALSE(contexts->contexts(0).has_actor());
  EXPECT_EQ(contexts->contexts(1).name(), "true");
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(ContextsTest, ChangesAtOnceAreAllKept) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      for (int k = 0; k < 10; ++k) EXPECT_TRUE(Add(path_, absl::StrCat(i, "-", k)).ok());
    });
  }
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(LoadContexts(path_).ok()) << "never half a file";
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(LoadContexts(path_)->contexts_size(), 80);
}

TEST_F(ContextsTest, AnErrorLeavesTheFileAsItIs) {
  ASSERT_TRUE(Add(path_, "a").ok());
  EXPECT_THAT(Add(path_, "a").message(), HasSubstr("context \"a\" is there twice"));
  EXPECT_EQ(LoadContexts(path_)->contexts_size(), 1);
  EXPECT_FALSE(ChangeContexts("", [](auto&) { return absl::OkStatus(); }).ok());
}

TEST_F(ContextsTest, WhatIsWrongIsNamedWithItsPlace) {
  fs::create_directories(fs::path(path_).parent_path());
  std::ofstream(path_) << "current: prod\ncontexts:\n- name: prod\n  regstry: x:1\n";
  EXPECT_THAT(LoadContexts(path_).status().message(), HasSubstr("contexts.yaml:4:3: "));
  std::ofstream(path_) << "current: prod\n";
  EXPECT_THAT(LoadContexts(path_).status().message(), HasSubstr("which is no context"));
}

}  // namespace
}  // namespace pinion::cli
