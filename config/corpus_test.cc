// Runs testdata/: adding a case needs no C++.
//   good/X.yaml     loads; its first line is `# summary: ` and what Summary says behind the file's
//                   name
//   good/X.routing  one pinion.routing.v1.Resource a line, as text: what X.yaml compiles to
//   bad/X.yaml      is refused with exactly the lines `# error: LINE:COLUMN: message` that it
//                   begins with (`# error: message` for what concerns the file as a whole)
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "config/load.h"
#include "config/static_routing.h"
#include "tests/testing/temp_directory.h"

namespace pinion::config {
namespace {

std::vector<std::string> FilesIn(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  EXPECT_FALSE(paths.empty()) << directory;
  return paths;
}

// What stands behind `marker` in the leading comment lines of `text`.
std::vector<std::string> Marked(const std::string& text, absl::string_view marker) {
  std::vector<std::string> values;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::ConsumePrefix(&line, "\xEF\xBB\xBF");
    absl::ConsumeSuffix(&line, "\r");
    if (!absl::StartsWith(line, "#")) break;
    if (absl::ConsumePrefix(&line, marker)) values.emplace_back(line);
  }
  return values;
}

std::vector<std::string> AsText(const std::vector<routing::v1::Resource>& resources) {
  std::vector<std::string> lines;
  for (const routing::v1::Resource& resource : resources)
    lines.push_back(resource.ShortDebugString());
  return lines;
}

std::vector<std::string> ReadResources(const std::string& path) {
  std::vector<routing::v1::Resource> resources;
  for (const absl::string_view line :
       absl::StrSplit(testing::ReadFile(path), '\n', absl::SkipEmpty())) {
    if (line.front() == '#') continue;
    EXPECT_TRUE(
        google::protobuf::TextFormat::ParseFromString(std::string(line), &resources.emplace_back()))
        << path << ": " << line;
  }
  return AsText(resources);
}

TEST(Corpus, GoodFilesLoad) {
  for (const std::string& path : FilesIn("config/testdata/good")) {
    SCOPED_TRACE(path);
    const auto loaded = LoadFile(path);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    if (!loaded.ok()) continue;
    EXPECT_EQ(Marked(testing::ReadFile(path), "# summary: "),
              std::vector<std::string>{Summary(*loaded).substr(path.size() + 2)});
    const auto resources = StaticRouting(loaded->bootstrap);
    ASSERT_TRUE(resources.ok()) << resources.status();
    const std::string routing = std::filesystem::path(path).replace_extension(".routing");
    if (!std::filesystem::exists(routing)) continue;
    EXPECT_EQ(AsText(*resources), ReadResources(routing));
  }
}

TEST(Corpus, BadFilesAreRefusedWithTheirMessages) {
  for (const std::string& path : FilesIn("config/testdata/bad")) {
    SCOPED_TRACE(path);
    const auto loaded = LoadFile(path);
    EXPECT_FALSE(loaded.ok());
    if (loaded.ok()) continue;
    EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
    std::vector<std::string> expected;
    for (const std::string& error : Marked(testing::ReadFile(path), "# error: ")) {
      const bool has_place = !error.empty() && error.front() >= '0' && error.front() <= '9';
      expected.push_back(absl::StrCat(path, has_place ? ":" : ": ", error));
    }
    const std::vector<std::string> actual =
        absl::StrSplit(std::string(loaded.status().message()), '\n');
    EXPECT_EQ(actual, expected);
  }
}

// Prefixes of a file, and the file with one byte changed, load or are refused, but never worse.
TEST(Corpus, DamagedFilesAreLoadedOrRefused) {
  static constexpr std::string_view kDamage = "\t{]&*'\":\n!\x04\xFF-<|";
  // Coprime to the number of characters, so that each meets many places.
  static constexpr size_t kStep = 4;
  for (const std::string& path : FilesIn("config/testdata/good")) {
    const std::string text = testing::ReadFile(path);
    for (size_t i = 0; i < text.size(); i += kStep) {
      (void)LoadText(std::string_view(text).substr(0, i), path);
      std::string damaged = text;
      damaged[i] = kDamage[i % kDamage.size()];
      (void)LoadText(damaged, path);
    }
  }
}

}  // namespace
}  // namespace pinion::config
