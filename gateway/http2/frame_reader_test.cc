#include "gateway/http2/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/h2_frames.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using ::testing::ElementsAre;
using Step = FrameReader::Step;

// What the reader reports of `bytes`, read in pieces: "begin 0 content=5 overhead=3", "fragment
// hello done". Fragments of one frame are joined.
std::vector<std::string> Read(absl::string_view bytes, size_t piece, uint32_t max_frame = 16384) {
  FrameReader reader(max_frame);
  std::vector<std::string> steps;
  std::string content;
  while (!bytes.empty()) {
    const absl::string_view head = bytes.substr(0, piece);
    bytes.remove_prefix(head.size());
    Bytes in(reinterpret_cast<const uint8_t*>(head.data()), head.size());
    while (true) {
      const Step step = reader.Next(in);
      if (step == Step::kNeedInput) break;
      const std::string payload(reader.payload().begin(), reader.payload().end());
      switch (step) {
        case Step::kBegin:
          steps.push_back(absl::StrCat("begin ", static_cast<int>(reader.header().type)));
          if (reader.header().type == FrameType::kData ||
              reader.header().type == FrameType::kHeaders) {
            absl::StrAppend(&steps.back(), " content=", reader.content_bytes(),
                            " overhead=", reader.overhead_bytes());
          }
          if (reader.has_dependency()) absl::StrAppend(&steps.back(), " on=", reader.dependency());
          break;
        case Step::kFragment:
          content += payload;
          if (reader.frame_done()) steps.push_back("content " + content);
          if (reader.frame_done()) content.clear();
          break;
        case Step::kControl:
          steps.push_back("control " + payload);
          break;
        default:
          steps.push_back(step == Step::kTooLong    ? "too long"
                          : step == Step::kTooShort ? "too short"
                                                    : "bad padding");
          return steps;
      }
    }
    EXPECT_TRUE(in.empty());
  }
  return steps;
}

class FrameReaderTest : public ::testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(Pieces, FrameReaderTest, ::testing::Values(1, 2, 5, 9, 11, 1000));

TEST_P(FrameReaderTest, ReportsEachFrame) {
  const std::string bytes =
      h2::Data(1, "hello") + h2::Ping("12345678") + h2::Data(1, "") +
      h2::Frame(h2::kData, h2::kPadded, 1, std::string("\x03") + "hello" + "ppp") +
      h2::Frame(h2::kData, h2::kPadded, 1, std::string("\x02") + "pp") +
      h2::Frame(h2::kHeaders, h2::kPriorityFlag, 5, h2::U32(0x80000003) + "w" + "block") +
      h2::Frame(h2::kHeaders, h2::kPriorityFlag | h2::kPadded, 5,
                "\x01" + h2::U32(9) + "w" + "block" + "p") +
      h2::Frame(h2::kContinuation, h2::kPadded, 5, "whole") + h2::SettingsAck();
  EXPECT_THAT(
      Read(bytes, GetParam()),
      ElementsAre("begin 0 content=5 overhead=0", "content hello", "begin 6", "control 12345678",
                  "begin 0 content=0 overhead=0", "content ", "begin 0 content=5 overhead=4",
                  "content hello", "begin 0 content=0 overhead=3", "content ",
                  "begin 1 content=5 overhead=5 on=3", "content block",
                  "begin 1 content=5 overhead=7 on=9", "content block", "begin 9", "content whole",
                  "begin 4", "control "));
}

TEST_P(FrameReaderTest, PassesUnknownTypesOver) {
  EXPECT_THAT(
      Read(h2::Frame(0x77, 0xff, 3, std::string(1000, 'x')) + h2::Ping("12345678"), GetParam()),
      ElementsAre("begin 119", "begin 6", "control 12345678"));
}

TEST_P(FrameReaderTest, KeepsTheFrontOfALongGoAway) {
  std::vector<std::string> steps =
      Read(h2::GoAway(1, 2, std::string(5000, 'd')) + h2::Ping("12345678"), GetParam());
  ASSERT_EQ(steps.size(), 4u);
  EXPECT_EQ(steps[1].size(), 8 + FrameReader::kControlBytes);
  EXPECT_EQ(steps[3], "control 12345678");
}

TEST_P(FrameReaderTest, ReportsLengthErrors) {
  EXPECT_THAT(Read(h2::Data(1, std::string(16385, 'x')), GetParam()), ElementsAre("too long"));
  EXPECT_THAT(Read(h2::Frame(h2::kData, h2::kPadded, 1), GetParam()), ElementsAre("too short"));
  EXPECT_THAT(Read(h2::Frame(h2::kHeaders, h2::kPriorityFlag, 1, "1234"), GetParam()),
              ElementsAre("too short"));
  EXPECT_THAT(Read(h2::Frame(h2::kData, h2::kPadded, 1,
                             "\x05"
                             "1234"),
                   GetParam()),
              ElementsAre("bad padding"));
}

TEST(FrameReader, SkipsTheRestOfAFrame) {
  FrameReader reader(16384);
  const std::string bytes =
      h2::Frame(h2::kData, h2::kPadded, 1, std::string("\x02") + "hello" + "pp") + h2::Ping();
  Bytes in(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  ASSERT_EQ(reader.Next(in), Step::kBegin);
  reader.SkipFrame();
  ASSERT_EQ(reader.Next(in), Step::kBegin);
  EXPECT_EQ(reader.header().type, FrameType::kPing);
}

}  // namespace
}  // namespace pinion::http2
