// Sinks and the thread that writes what they take, on real files and pipes.
#include "gateway/access_log/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/observability_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"

namespace pinion::access_log {
namespace {

using ::testing::HasSubstr;

class WriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> Start(const std::string& path, size_t sinks = 1, double sample = 1) {
    auto writer = Writer::Start({.path = path, .sample = sample}, clock_, sinks, 1);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  static Record Named(absl::string_view name) {
    Record record;
    record.consumer = name;
    record.grpc_status = 0;
    return record;
  }

  static size_t Lines(const std::string& path) {
    const std::string text = testing::ReadFile(path);
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  testing::FakeClock clock_;
  const testing::TempDirectory folder_;
};

TEST_F(WriterTest, WritesTheLinesOfAllSinksBeforeItEnds) {
  const std::string path = folder_.Path("a.log");
  {
    auto writer = Start(path, 2);
    for (int i = 0; i < 1000; ++i) {
      writer->sink(0).Write(Named(absl::StrCat("left-", i)));
      writer->sink(1).Write(Named(absl::StrCat("right-", i)));
    }
    EXPECT_EQ(writer->lines(), 2000u);
    EXPECT_EQ(writer->dropped(), 0u);
  }
  EXPECT_EQ(Lines(path), 2000u);
  EXPECT_THAT(testing::ReadFile(path), HasSubstr("\"left-999\""));
  EXPECT_THAT(testing::ReadFile(path), HasSubstr("\"right-0\""));
}

TEST_F(WriterTest, AppendsToWhatIsThere) {
  const std::string path = folder_.Path("a.log");
  Start(path)->sink(0).Write(Named("first"));
  Start(path)->sink(0).Write(Named("second"));
  EXPECT_EQ(Lines(path), 2u);
}

TEST_F(WriterTest, ReopensForLogrotate) {
  const std::string path = folder_.Path("a.log");
  auto writer = Start(path);
  writer->sink(0).Write(Named("before"));
  std::filesystem::rename(path, path + ".1");
  writer->Reopen();
  while (!std::filesystem::exists(path)) std::this_thread::yield();
  writer->sink(0).Write(Named("after"));
  writer.reset();
  EXPECT_THAT(testing::ReadFile(path + ".1"), HasSubstr("before"));
  EXPECT_THAT(testing::ReadFile(path), HasSubstr("after"));
  EXPECT_EQ(Lines(path), 1u);
}

TEST_F(WriterTest, KeepsTheOldFileWhenTheNewOneCannotBeOpened) {
  const std::string path = folder_.Path("gone/a.log");
  std::filesystem::create_directories(folder_.Path("gone"));
  auto writer = Start(path);
  std::filesystem::rename(folder_.Path("gone"), folder_.Path("moved"));
  writer->Reopen();
  writer->sink(0).Write(Named("still there"));
  writer.reset();
  EXPECT_THAT(testing::ReadFile(folder_.Path("moved/a.log")), HasSubstr("still there"));
}

TEST_F(WriterTest, SaysWhatItCannotOpen) {
  const std::string path = folder_.Path("no/such/folder.log");
  const auto writer = Writer::Start({.path = path}, clock_, 1, 1);
  EXPECT_EQ(writer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer.status().message(),
            absl::StrCat("gateway.access_log: cannot open ", path, ": No such file or directory"));
}

TEST_F(WriterTest, CountsWhatADiskDoesNotTake) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  auto writer = Start("/dev/full");
  for (int i = 0; i < 3; ++i) writer->sink(0).Write(Named("lost"));
  while (writer->dropped() < 3) std::this_thread::yield();
  EXPECT_EQ(writer->dropped(), 3u);
  EXPECT_GE(writer->write_failures(), 1u);
}

// A pipe that nobody reads holds up neither the sink nor the end of the process.
TEST_F(WriterTest, DoesNotWaitForAReader) {
  const std::string path = folder_.Path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  auto writer = Start(path);
  const std::string name(100, 'x');
  uint64_t written = 0;
  while (writer->sink(0).dropped().value() == 0) {
    writer->sink(0).Write(Named(name));
    ++written;
  }
  EXPECT_GT(written, limits::kLogRingBytes / limits::kLogLineBytesMax);
  writer.reset();

  // What did get through is whole lines.
  std::string got(1024 * 1024, '\0');
  const ssize_t bytes = ::read(reader, got.data(), got.size());
  ASSERT_GT(bytes, 0);
  EXPECT_EQ(got[static_cast<size_t>(bytes) - 1], '\n');
  ::close(reader);
}

TEST_F(WriterTest, RefusesAPipeWithoutAReader) {
  const std::string path = folder_.Path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const absl::Status status = Writer::Start({.path = path}, clock_, 1, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            absl::StrCat("gateway.access_log: cannot open ", path, ": No such device or address"));
}

TEST_F(WriterTest, ReopensAPipeWhoseReaderIsGoneAndEnds) {
  void (*const before)(int) = std::signal(SIGPIPE, SIG_IGN);  // as the programs do
  const std::string path = folder_.Path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  auto writer = Start(path);
  ::close(reader);
  writer->Reopen();
  // Dropped by the round that opens it, or by one after it.
  writer->sink(0).Write(Named("lost"));
  while (writer->dropped() == 0) std::this_thread::yield();
  writer.reset();
  std::signal(SIGPIPE, before);
}

TEST_F(WriterTest, SamplesSuccessesAndKeepsFailures) {
  auto all = Start(folder_.Path("all"), 1, 1);
  auto some = Start(folder_.Path("some"), 1, 0.25);
  auto none = Start(folder_.Path("none"), 1, 0);
  int wanted = 0;
  for (int i = 0; i < 4000; ++i) {
    EXPECT_TRUE(all->sink(0).Wants(true, ""));
    EXPECT_FALSE(none->sink(0).Wants(true, ""));
    EXPECT_TRUE(none->sink(0).Wants(false, ""));
    wanted += some->sink(0).Wants(true, "") ? 1 : 0;
  }
  EXPECT_NEAR(wanted, 1000, 150);
}

TEST_F(WriterTest, SamplesATraceAlikeEverywhere) {
  auto one = Start(folder_.Path("one"), 1, 0.5);
  auto other = Start(folder_.Path("other"), 2, 0.5);
  int wanted = 0;
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    std::string id(32, '0');
    for (char& c : id) c = "0123456789abcdef"[random.Below(16)];
    const bool here = one->sink(0).Wants(true, id);
    EXPECT_EQ(here, other->sink(1).Wants(true, id));
    wanted += here ? 1 : 0;
  }
  EXPECT_NEAR(wanted, 500, 80);
}

TEST_F(WriterTest, TellsTheWallClocksTimeAlsoAfterAJump) {
  auto writer = Start(folder_.Path("a.log"));
  Sink& sink = writer->sink(0);
  absl::Time now = clock_.Monotonic();
  EXPECT_EQ(sink.WallTime(now - absl::Seconds(5), now), clock_.Wall() - absl::Seconds(5));
  clock_.JumpWall(absl::Hours(1));
  clock_.Advance(absl::Seconds(1));
  now = clock_.Monotonic();
  EXPECT_EQ(sink.WallTime(now, now), clock_.Wall());
}

}  // namespace
}  // namespace pinion::access_log
