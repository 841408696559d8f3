#include "base/record_file.h"

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion {
namespace {

using ::testing::ElementsAre;

class RecordFileTest : public ::testing::Test {
 protected:
  void Write(const std::vector<std::string>& records) {
    auto writer = RecordWriter::Create(path_);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const std::string& record : records) ASSERT_TRUE((*writer)->Append(record).ok());
    ASSERT_TRUE((*writer)->Sync().ok());
  }

  struct Result {
    std::vector<std::string> records;
    absl::Status status;
    int64_t good_bytes = 0;
  };
  Result Read() {
    Result result;
    auto reader = RecordReader::Open(path_);
    result.status = reader.status();
    if (!reader.ok()) return result;
    std::string record;
    while (true) {
      const absl::StatusOr<bool> next = (*reader)->Next(record);
      result.status = next.status();
      if (!next.ok() || !*next) break;
      result.records.push_back(record);
    }
    result.good_bytes = (*reader)->good_bytes();
    return result;
  }

  std::string Bytes() { return testing::ReadFile(path_); }
  void SetBytes(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  const testing::TempDirectory directory_;
  const std::string path_ = directory_.Path("records");
};

TEST(Crc32c, IsCastagnolis) {
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), Crc32c("123456789"));
}

TEST_F(RecordFileTest, GivesBackWhatWasWritten) {
  const std::string large(3'000'000, 'x');
  Write({"one", "", large});
  const Result result = Read();
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(result.records, ElementsAre("one", "", large));
  EXPECT_EQ(result.good_bytes, static_cast<int64_t>(Bytes().size()));
}

TEST_F(RecordFileTest, GoesOnBehindWhatIsGood) {
  Write({"one", "two"});
  const int64_t good = Read().good_bytes;
  SetBytes(Bytes() + std::string(1000, 'x'));  // longer than what comes in its place
  EXPECT_TRUE(absl::IsDataLoss(Read().status));
  {
    auto writer = RecordWriter::Continue(path_, good);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Append("three").ok());
    ASSERT_TRUE((*writer)->Sync().ok());
    EXPECT_EQ((*writer)->bytes(), static_cast<int64_t>(Bytes().size()));
  }
  EXPECT_TRUE(Read().status.ok());
  EXPECT_THAT(Read().records, ElementsAre("one", "two", "three"));
}

TEST_F(RecordFileTest, CutAtEveryByteLosesOnlyTheEnd) {
  Write({"one", "two"});
  const std::string whole = Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    SetBytes(whole.substr(0, size));
    const Result result = Read();
    for (size_t i = 0; i < result.records.size(); ++i) {
      EXPECT_EQ(result.records[i], i == 0 ? "one" : "two") << size;
    }
    // The end of a record is also an end of a file; anything else is noticed.
    const bool clean = size == 8 || size == 8 + 8 + 3;
    EXPECT_EQ(result.status.ok(), clean) << size << " " << result.status;
  }
}

TEST_F(RecordFileTest, NoticesEveryFlippedBit) {
  Write({"one", "two"});
  const std::string whole = Bytes();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    SetBytes(bytes);
    EXPECT_TRUE(absl::IsDataLoss(Read().status)) << bit;
    EXPECT_LE(Read().records.size(), 1u) << bit;
  }
}

TEST_F(RecordFileTest, TellsAMissingFileFromAForeignOne) {
  EXPECT_TRUE(absl::IsNotFound(Read().status));
  SetBytes("node: {id: not-a-recording}\n");
  EXPECT_TRUE(absl::IsDataLoss(Read().status));
}

}  // namespace
}  // namespace pinion
