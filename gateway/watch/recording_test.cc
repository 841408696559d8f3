#include "gateway/watch/recording.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gateway/watch/watch_messages.h"
#include "gateway/watch_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::watch {
namespace {

namespace fs = std::filesystem;

class RecordingTest : public ::testing::Test {
 protected:
  RecordingTest() { Reopen(); }

  void Reopen() {
    recording_.reset();
    auto recording = Recording::Open(directory_.path());
    ASSERT_TRUE(recording.ok()) << recording.status();
    recording_ = *std::move(recording);
  }
  void Record(const registry::v1::WatchResponse& message) {
    recording_->Stage(message);
    ASSERT_TRUE(recording_->Commit().ok());
  }

  // What a new process would start from: "revision version", or the error.
  std::string Start() {
    Reopen();
    RoutingState state("gw");
    remarks_.clear();
    const absl::Status status = recording_->Load(state, remarks_);
    if (!status.ok()) return absl::StatusCodeToString(status.code());
    const auto table = state.TakeTable();
    if (!table.ok()) return std::string(table.status().message());
    return std::to_string(state.revision()) + " " + VersionFor(**table);
  }

  std::string File(const char* suffix = "") const {
    return directory_.Path("routing.snapshot") + suffix;
  }
  static void SetBytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  const testing::TempDirectory directory_;
  std::unique_ptr<Recording> recording_;
  std::vector<std::string> remarks_;
};

TEST_F(RecordingTest, StartsFromWhatWasCommitted) {
  EXPECT_EQ(Start(), "NOT_FOUND");
  EXPECT_TRUE(recording_->wants_snapshot());
  Record(Snapshot("r", 5));
  EXPECT_FALSE(recording_->wants_snapshot());
  EXPECT_EQ(Start(), "5 1.0.0");
  Record(PinSet("r", 6, "^2"));
  Record(PinSet("r", 7, "1.0.0"));
  EXPECT_EQ(Start(), "7 1.0.0");
  Record(PinSet("r", 8, "^2"));
  EXPECT_EQ(Start(), "8 2.0.0");
  EXPECT_TRUE(remarks_.empty());
}

TEST_F(RecordingTest, RampsAndEntitlementsAreRecorded) {
  Record(Snapshot("r", 5));
  Record(Message(R"(registry_id: "r" changes {
      revisions { revision: 6 changes { put { channel {
        service: "greeter" name: "stable" version: "1.0.0"
        ramp { version: "2.0.0" percent: 99 } } } } }
      revisions { revision: 7 changes { put { entitlement {
        consumer: "billing" service: "greeter" expression: "^1" } } } } })"));
  // billing is among the 99 per cent, and has not chosen that.
  EXPECT_EQ(Start(), "7 2.0.0");
  RoutingState state("gw");
  ASSERT_TRUE(recording_->Load(state, remarks_).ok());
  const auto table = *state.TakeTable();
  EXPECT_EQ(table->FindService("greeter")->entitlements->at("billing")->text, "^1");
}

// Whoever commits them says when the disk is asked to keep them.
TEST_F(RecordingTest, ChangesAreThereBeforeTheyAreSynced) {
  Record(Snapshot("r", 5));
  EXPECT_FALSE(recording_->wants_sync());
  Record(PinSet("r", 6, "^2"));
  EXPECT_TRUE(recording_->wants_sync());
  EXPECT_EQ(Start(), "6 2.0.0");
  Record(PinSet("r", 7, "1.0.0"));
  ASSERT_TRUE(recording_->Sync().ok());
  EXPECT_FALSE(recording_->wants_sync());
  Record(PinSet("r", 8, "^2"));
  Record(Snapshot("r", 9));
  EXPECT_FALSE(recording_->wants_sync()) << "what is not synced is in no file that counts";
}

TEST_F(RecordingTest, WhatIsNotCommittedNeverWas) {
  Record(Snapshot("r", 5));
  recording_->Stage(PinSet("r", 6, "^2"));
  recording_->Discard();
  Record(PinSet("r", 7, "1.0.0"));
  recording_->Stage(Message(R"pb(registry_id: "r"
                                 snapshot { first: true revision: 9 })pb"));
  EXPECT_EQ(Start(), "7 1.0.0");
}

TEST_F(RecordingTest, CutAtEveryByteThePreviousStateCounts) {
  Record(Snapshot("r", 4));
  Record(PinSet("r", 5, "^2"));
  Record(Snapshot("r", 6));
  Record(PinSet("r", 7, "^2"));
  const std::string whole = testing::ReadFile(File());
  const std::string previous = testing::ReadFile(File(".previous"));
  ASSERT_EQ(Start(), "7 2.0.0");
  bool seen_previous = false, seen_snapshot = false;
  for (size_t size = 0; size < whole.size(); ++size) {
    SetBytes(File(), whole.substr(0, size));
    SetBytes(File(".previous"), previous);
    const std::string start = Start();
    EXPECT_TRUE(start == "5 2.0.0" || start == "6 1.0.0") << size << ": " << start;
    EXPECT_EQ(remarks_.empty() && start == "5 2.0.0", false) << size;
    EXPECT_EQ(recording_->wants_snapshot(), start == "5 2.0.0") << size;
    EXPECT_FALSE(seen_snapshot && start == "5 2.0.0") << size;
    (start == "5 2.0.0" ? seen_previous : seen_snapshot) = true;
  }
  EXPECT_TRUE(seen_previous && seen_snapshot);
}

TEST_F(RecordingTest, WhateverBitFlipsAGoodStateCounts) {
  Record(Snapshot("r", 4));
  Record(PinSet("r", 5, "^2"));
  Record(Snapshot("r", 6));
  Record(PinSet("r", 7, "^2"));
  recording_.reset();
  const std::string whole = testing::ReadFile(File());
  const std::string previous = testing::ReadFile(File(".previous"));
  for (size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string rotten = whole;
    rotten[bit / 8] = static_cast<char>(rotten[bit / 8] ^ (1 << bit % 8));
    SetBytes(File(), rotten);
    SetBytes(File(".previous"), previous);
    const std::string start = Start();
    recording_.reset();
    EXPECT_TRUE(start == "5 2.0.0" || start == "6 1.0.0") << bit << ": " << start;
    EXPECT_EQ(remarks_.size(), 1u) << bit;
  }
}

TEST_F(RecordingTest, ATornEndIsCutOffBeforeMoreIsWritten) {
  Record(Snapshot("r", 5));
  Record(PinSet("r", 6, "^2"));
  recording_.reset();
  SetBytes(File(), testing::ReadFile(File()).substr(0, testing::ReadFile(File()).size() - 3));
  EXPECT_EQ(Start(), "5 1.0.0");
  EXPECT_EQ(remarks_.size(), 1u);
  Record(PinSet("r", 6, "^2"));
  EXPECT_EQ(Start(), "6 2.0.0");
  EXPECT_TRUE(remarks_.empty());
}

// Of a disk's or another program's making, and found only by what it says.
TEST_F(RecordingTest, ARecordThatCannotBeUsedIsDataLoss) {
  Record(Snapshot("r", 5));
  Record(Snapshot("r", 6));
  recording_->Stage(PinSet("r", 7, "^2 ^"));
  ASSERT_TRUE(recording_->Commit().ok());
  EXPECT_EQ(Start(), "5 1.0.0");
  EXPECT_EQ(remarks_.size(), 1u);
  recording_.reset();
  fs::remove(File(".previous"));
  EXPECT_EQ(Start(), "DATA_LOSS");
}

TEST_F(RecordingTest, ADamagedFileDoesNotTakeThePlaceOfThePreviousOne) {
  Record(Snapshot("r", 5));
  Record(Snapshot("r", 6));
  recording_.reset();
  SetBytes(File(), "garbage");
  ASSERT_EQ(Start(), "5 1.0.0");
  recording_->Stage(Snapshot("r", 7));
  fs::remove(File(".tmp"));  // ends where a crash before the last rename would
  EXPECT_FALSE(recording_->Commit().ok());
  EXPECT_EQ(Start(), "5 1.0.0");
  Record(Snapshot("r", 8));
  EXPECT_EQ(testing::ReadFile(File(".previous")).find("garbage"), std::string::npos);
  // The new one is good again, and kept.
  Record(Snapshot("r", 9));
  recording_.reset();
  fs::remove(File());
  EXPECT_EQ(Start(), "8 1.0.0");
}

TEST_F(RecordingTest, BothFilesUselessIsAnErrorAndNoState) {
  Record(Snapshot("r", 5));
  Record(Snapshot("r", 6));
  recording_.reset();
  SetBytes(File(), "garbage");
  SetBytes(File(".previous"), "");
  EXPECT_EQ(Start(), "DATA_LOSS");
  EXPECT_TRUE(recording_->wants_snapshot());
  Record(Snapshot("r", 7));
  EXPECT_EQ(Start(), "7 1.0.0");
}

TEST_F(RecordingTest, AFailureIsToldAndTheNextSnapshotHeals) {
  Record(Snapshot("r", 5));
  fs::create_directory(File(".tmp"));
  recording_->Stage(Snapshot("r", 6));
  EXPECT_FALSE(recording_->Commit().ok());
  EXPECT_TRUE(recording_->wants_snapshot());
  recording_->Stage(PinSet("r", 7, "^2"));
  EXPECT_TRUE(recording_->Commit().ok());
  fs::remove(File(".tmp"));
  EXPECT_EQ(Start(), "5 1.0.0");
  Record(Snapshot("r", 8));
  EXPECT_EQ(Start(), "8 1.0.0");
}

// Files of this process end at `bytes` while this lives: what a full disk does to them.
class FullDisk {
 public:
  explicit FullDisk(size_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit full{.rlim_cur = bytes, .rlim_max = limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }

 private:
  void (*const before_)(int);
  rlimit limit_{};
};

TEST_F(RecordingTest, AFullDiskKeepsTheLastGoodState) {
  Record(Snapshot("r", 5));
  const size_t size = testing::ReadFile(File()).size();
  {
    const FullDisk in_the_middle_of_a_change(size + 7);
    recording_->Stage(PinSet("r", 6, "^2"));
    EXPECT_FALSE(recording_->Commit().ok());
    EXPECT_TRUE(recording_->wants_snapshot());
    EXPECT_EQ(testing::ReadFile(File()).size(), size) << "what was half written is cut off";
  }
  {
    const FullDisk in_the_middle_of_a_snapshot(size / 2);
    recording_->Stage(Snapshot("r", 7));
    EXPECT_FALSE(recording_->Commit().ok());
    EXPECT_TRUE(recording_->wants_snapshot());
  }
  EXPECT_EQ(Start(), "5 1.0.0");
  EXPECT_TRUE(remarks_.empty());
  Record(Snapshot("r", 9));
  EXPECT_EQ(Start(), "9 1.0.0");
}

TEST_F(RecordingTest, WantsASnapshotWhenManyChangesStandBehind) {
  Record(Snapshot("r", 5));
  registry::v1::WatchResponse large = PinSet("r", 6, "^2");
  large.mutable_changes()
      ->mutable_revisions(0)
      ->add_changes()
      ->mutable_put()
      ->mutable_consumer()
      ->set_name(std::string(limits::kRecordedChangesBytesMin, 'x'));
  recording_->set_patience(1.5);
  Record(large);
  EXPECT_FALSE(recording_->wants_snapshot());
  Record(large);
  EXPECT_TRUE(recording_->wants_snapshot());
}

TEST_F(RecordingTest, TwoProcessesDoNotShareADirectory) {
  const auto second = Recording::Open(directory_.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(Recording::Open("/proc/nowhere").ok());
}

}  // namespace
}  // namespace pinion::watch
