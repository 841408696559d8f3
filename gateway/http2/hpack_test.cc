// Both halves of HPACK, against each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using Fields = std::vector<HeaderField>;

constexpr HeaderListLimits kLimits = {60 * 1024, 100};

std::string Decode(HpackDecoder& decoder, absl::string_view bytes, size_t piece = SIZE_MAX,
                   const HeaderListLimits& limits = kLimits) {
  return h2::DecodeBlock(decoder, bytes, limits, piece);
}

class HpackPair {
 public:
  std::string RoundTrip(const Fields& fields, size_t piece = SIZE_MAX) {
    const Bytes encoded = encoder.Encode(fields, scratch_);
    encoded_bytes = encoded.size();
    return Decode(decoder, h2::AsString(encoded), piece);
  }

  HpackEncoder encoder;
  HpackDecoder decoder{decoded_};
  size_t encoded_bytes = 0;

 private:
  std::vector<uint8_t> scratch_;
  std::vector<uint8_t> decoded_;
};

TEST(Hpack, KeepsFieldsAndNeverIndex) {
  HpackPair pair;
  const Fields fields = {{":method", "POST"},
                         {":scheme", "http"},
                         {":path", "/a.B/C"},
                         {"grpc-timeout", "1S"},
                         {"x", "1"},
                         {"x", "2"},
                         {"secret", "token", true},
                         {"grpc-trace-bin", "AA", true}};
  for (size_t piece : {size_t{1}, size_t{2}, size_t{7}, SIZE_MAX}) {
    EXPECT_EQ(pair.RoundTrip(fields, piece),
              ":method=POST|:scheme=http|:path=/a.B/C|grpc-timeout=1S|x=1|x=2|secret=token!|"
              "grpc-trace-bin=AA!");
  }
}

TEST(Hpack, WhatRepeatsCostsAByteAndWhatDoesNotStaysOut) {
  HpackPair pair;
  const std::string value(50, 'v');
  const Fields metadata = {{"metadata", value}};
  pair.RoundTrip(metadata);
  pair.RoundTrip(metadata);
  EXPECT_GT(pair.encoded_bytes, value.size()) << "twice in full: only then it is known to repeat";
  pair.RoundTrip(metadata);
  EXPECT_EQ(pair.encoded_bytes, 1u);
  for (int i = 0; i < 1000; ++i) {
    const std::string trace = absl::StrCat("00-", i);
    const std::string timeout = absl::StrCat(i, "m");
    pair.RoundTrip({{"traceparent", trace}, {"grpc-timeout", timeout}, {"of-my-own", trace}});
  }
  pair.RoundTrip(metadata);
  EXPECT_EQ(pair.encoded_bytes, 1u) << "still in the table";
}

TEST(Hpack, ManyFieldsAndLongValues) {
  HpackPair pair;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(absl::StrCat("name-", i));
  const std::string value(500, 'x');
  Fields fields;
  std::string expected;
  for (const std::string& name : names) {
    fields.push_back({name, value});
    absl::StrAppend(&expected, expected.empty() ? "" : "|", name, "=", value);
  }
  EXPECT_EQ(pair.RoundTrip(fields), expected);
  const std::string huge(30000, '\x7e');  // Huffman coding would make it longer
  EXPECT_EQ(pair.RoundTrip({{"grpc-message", huge}, {"y", huge}}),
            "grpc-message=" + huge + "|y=" + huge);
}

TEST(Hpack, FollowsThePeersTableSize) {
  HpackPair pair;
  pair.encoder.SetTableBytes(0);
  const Fields fields = {{":path", "/a.B/C"}, {"metadata", "value"}, {"grpc-timeout", "1S"}};
  const std::string expected = ":path=/a.B/C|metadata=value|grpc-timeout=1S";
  EXPECT_EQ(pair.RoundTrip(fields), expected);
  const size_t without_table = pair.encoded_bytes - 1;  // the size update
  EXPECT_EQ(pair.RoundTrip(fields), expected);
  EXPECT_EQ(pair.encoded_bytes, without_table);
  pair.encoder.SetTableBytes(100);
  pair.encoder.SetTableBytes(1 << 30);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pair.RoundTrip(fields), expected);
  EXPECT_LT(pair.encoded_bytes, without_table) << "the table is in use again";
}

TEST(Hpack, CredentialsAreNeverIndexed) {
  HpackPair pair;
  const Fields fields = {{"authorization", "Bearer 0123456789"}, {"cookie", "short=1"}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pair.RoundTrip(fields), "authorization=Bearer 0123456789!|cookie=short=1!");
  }
}

TEST(Hpack, EqualFieldsOfOneBlockEnterTheTableOnce) {
  HpackPair pair;
  const Fields fields = {{"a", "1"}, {"a", "1"}, {"a", "1"}, {"a", "1"}};
  EXPECT_EQ(pair.RoundTrip(fields), "a=1|a=1|a=1|a=1");
  EXPECT_EQ(pair.encoded_bytes, 2 * 5u + 2 * 1u) << "seen, indexed, and then known";
}

TEST(Hpack, RefusesWhatIsNotHpack) {
  const std::string cases[] = {
      std::string("\x80", 1),                               // index 0
      std::string("\xff\xff\xff\xff\xff\xff", 6),           // an index without end
      std::string("\xc6", 1),                               // beyond the tables
      std::string("\x3f\xe2\x1f", 3),                       // table size 4097
      std::string("\x82\x20", 2),                           // table size after a field
      std::string("\x40\x01x\x7f\xff\xff\xff\xff\x0f", 9),  // a value of 4 GiB
      std::string("\x40\x81\xff\x01y", 5),                  // Huffman: padding of eight bits
      std::string("\x40\x84\xff\xff\xff\xff\x01y", 8),      // Huffman: EOS
      std::string("\x40\x05x", 3),                          // cut short
  };
  for (const std::string& bytes : cases) {
    for (size_t piece : {size_t{1}, SIZE_MAX}) {
      std::vector<uint8_t> scratch;
      HpackDecoder decoder(scratch);
      EXPECT_EQ(Decode(decoder, bytes, piece), "ERROR") << ::testing::PrintToString(bytes);
    }
  }
}

TEST(Hpack, AnOversizedBlockLeavesTheTableInStep) {
  std::vector<uint8_t> scratch;
  HpackDecoder decoder(scratch);
  const std::string big = h2::HpackIndexedLiteral("early", "1") +
                          h2::HpackLiteral("big", std::string(3000, 'x')) +
                          h2::HpackIndexedLiteral("late", "2");
  EXPECT_EQ(Decode(decoder, big, SIZE_MAX, {2000, 100}), "TOO LARGE early=1");
  EXPECT_EQ(Decode(decoder, "\xbe\xbf"), "late=2|early=1");
}

TEST(Hpack, RandomBlocksSurviveBothWays) {
  pinion::testing::Random random(3);
  HpackPair pair;
  const std::vector<std::string> names = {"a", "content-type", "grpc-timeout",
                                          "x-long-name-of-mine"};
  for (int round = 0; round < 3000; ++round) {
    if (random.OneIn(50)) pair.encoder.SetTableBytes(static_cast<uint32_t>(random.Below(8192)));
    std::vector<std::string> values;
    for (size_t i = random.Below(20); i > 0; --i) {
      // Few enough to come again, too many for the table.
      values.push_back(std::string(8 * random.Below(20), static_cast<char>('a' + random.Below(4))));
    }
    Fields all;
    for (const std::string& value : values) {
      all.push_back({names[random.Below(names.size())], value, random.OneIn(9)});
    }
    std::string expected;
    for (const HeaderField& field : all) {
      absl::StrAppend(&expected, expected.empty() ? "" : "|", field.name, "=", field.value,
                      field.never_index ? "!" : "");
    }
    ASSERT_EQ(pair.RoundTrip(all, random.Size(100)), expected);
  }
}

}  // namespace
}  // namespace pinion::http2
