// A target as an ordinary program: runs what a fuzzer begins with, in a second and with any
// compiler.
//
//     fuzz_X_replay PATH…              seeds, files, and a fixed number of mutations of each
//     fuzz_X_replay --only PATH…       just the files, to see what a finding does
//     fuzz_X_replay --write DIR PATH…  into DIR for a fuzzer, without running them
//
// A PATH is a file or a folder of files (all below it). Those whose names end in .hex hold
// hexadecimal digits and `#` comments, as findings of binary inputs are kept; an input that ends
// the run by a CHECK is printed in that form.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/random.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

namespace fs = std::filesystem;

// What runs, for whoever looks at the end of the process.
std::string last_input;

constexpr int kMutationsPerInput = 200;

std::string Contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (path.extension() != ".hex") return bytes;
  std::string digits;
  for (absl::string_view line : absl::StrSplit(bytes, '\n')) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (!absl::ascii_isspace(static_cast<unsigned char>(c))) digits += c;
    }
  }
  return absl::HexStringToBytes(digits);
}

// In the same order on every machine.
std::vector<std::string> Files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.emplace_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> contents;
  for (const fs::path& file : files) contents.push_back(Contents(file));
  return contents;
}

// One to four small changes; `other` lends bytes.
std::string Mutate(std::string bytes, const std::string& other, Random& random) {
  for (uint64_t changes = random.Below(4) + 1; changes > 0; --changes) {
    const size_t at = random.Below(bytes.size() + 1);
    const size_t size = random.Below(std::min<size_t>(bytes.size() - at, 16) + 1);
    switch (random.Below(5)) {
      case 0:
        if (at < bytes.size()) bytes[at] ^= static_cast<char>(1 << random.Below(8));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.Next());
        break;
      case 2:
        bytes.erase(at, size);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, size));
        break;
      default:
        bytes.insert(at, other.substr(random.Below(other.size() + 1), random.Below(32)));
    }
  }
  return bytes;
}

void RunOne(const std::string& input) {
  last_input = input;
  Run(input);
}

void RunAll(const std::vector<std::string>& inputs, int mutations) {
  Random random(1);
  for (const std::string& input : inputs) {
    RunOne(input);
    for (int i = 0; i < mutations; ++i) {
      RunOne(Mutate(input, inputs[random.Below(inputs.size())], random));
    }
  }
  std::printf("%zu inputs, %d mutations of each\n", inputs.size(), mutations);
}

// As a .hex file: what is to be kept beside the fix.
void PrintLastInput(int) {
  std::fprintf(stderr, "the input, for a file NAME.hex:\n%s\n",
               absl::BytesToHexString(last_input).c_str());
  std::_Exit(1);
}

int Main(std::vector<std::string> words) {
  std::signal(SIGABRT, &PrintLastInput);
  std::string mode;
  if (!words.empty() && words[0].starts_with("--")) {
    mode = words[0];
    words.erase(words.begin());
  }
  if (mode == "--only") {
    RunAll(Files(words), 0);
    return 0;
  }
  std::string target;
  if (mode == "--write" && !words.empty()) {
    target = words[0];
    words.erase(words.begin());
  }
  std::vector<std::string> inputs = Seeds();
  for (std::string& file : Files(words)) inputs.push_back(std::move(file));
  if (target.empty()) {
    RunAll(inputs, kMutationsPerInput);
    return 0;
  }
  fs::create_directories(target);
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::ofstream(fs::path(target) / absl::StrCat("seed-", i), std::ios::binary) << inputs[i];
  }
  return 0;
}

}  // namespace
}  // namespace pinion::fuzz

int main(int argc, char** argv) {
  return pinion::fuzz::Main(std::vector<std::string>(argv + 1, argv + argc));
}
