// HPACK against nghttp2's: what ours writes, theirs reads; what theirs writes, ours reads; and what
// nobody wrote, both read as the same fields or both refuse.
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"
#include "tests/testing/h2_session.h"
#include "tests/testing/nghttp2_inflater.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

namespace h2 = pinion::testing::h2;
using pinion::testing::Random;

// A list of fields that owns its texts.
struct Text {
  std::string name;
  std::string value;
  bool never_index = false;
};

std::string Describe(const std::vector<Text>& fields) {
  HeaderBlock block;
  for (const Text& text : fields) block.Add({text.name, text.value, text.never_index});
  return h2::Describe(block);
}

class Deflater {
 public:
  Deflater() { EXPECT_EQ(nghttp2_hd_deflate_new(&deflater_, limits::kHpackTableBytes), 0); }
  ~Deflater() { nghttp2_hd_deflate_del(deflater_); }

  void SetTableBytes(size_t bytes) { nghttp2_hd_deflate_change_table_size(deflater_, bytes); }

  std::string Encode(const std::vector<Text>& fields) {
    std::vector<nghttp2_nv> list;
    for (const Text& text : fields) {
      list.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(text.name.data())),
                      reinterpret_cast<uint8_t*>(const_cast<char*>(text.value.data())),
                      text.name.size(), text.value.size(),
                      static_cast<uint8_t>(text.never_index ? NGHTTP2_NV_FLAG_NO_INDEX : 0)});
    }
    std::string out(nghttp2_hd_deflate_bound(deflater_, list.data(), list.size()), '\0');
    const ssize_t bytes = nghttp2_hd_deflate_hd(deflater_, reinterpret_cast<uint8_t*>(out.data()),
                                                out.size(), list.data(), list.size());
    EXPECT_GE(bytes, 0);
    out.resize(bytes);
    return out;
  }

 private:
  nghttp2_hd_deflater* deflater_ = nullptr;
};

class Decoder {
 public:
  std::string Decode(absl::string_view bytes, size_t piece = SIZE_MAX) {
    return h2::DecodeBlock(decoder_, bytes, {UINT32_MAX, UINT32_MAX}, piece);
  }

 private:
  std::vector<uint8_t> scratch_;
  HpackDecoder decoder_{scratch_};
};

// Text of some kind: what is common, what is long, and every byte that there is.
std::string DrawText(Random& random) {
  switch (random.Below(4)) {
    case 0:
      return std::string(random.Below(30), static_cast<char>('a' + random.Below(3)));
    case 1:
      return std::string(random.Below(3000), 'x');
    default:
      break;
  }
  std::string text;
  for (size_t i = random.Below(40); i > 0; --i) {
    text.push_back(static_cast<char>(random.OneIn(2) ? random.Below(256) : 'a' + random.Below(26)));
  }
  return text;
}

std::vector<Text> DrawFields(Random& random) {
  const std::vector<std::string> names = {":path", "content-type", "grpc-timeout", "te",
                                          "x-long-name-of-mine"};
  std::vector<Text> fields;
  for (size_t i = random.Below(20); i > 0; --i) {
    const std::string name = random.OneIn(4) ? DrawText(random) : names[random.Below(names.size())];
    fields.push_back({name, DrawText(random), random.OneIn(9)});
  }
  return fields;
}

TEST(HpackPeer, ReadsWhatWeWrite) {
  Random random(3);
  HpackEncoder encoder;
  h2::Nghttp2Inflater inflater;
  std::vector<uint8_t> scratch;
  std::vector<Text> fields;
  for (int round = 0; round < 3000; ++round) {
    if (random.OneIn(50)) encoder.SetTableBytes(static_cast<uint32_t>(random.Below(8192)));
    if (round < 3 || random.OneIn(3)) fields = DrawFields(random);
    HeaderBlock block;
    for (const Text& text : fields) block.Add({text.name, text.value, text.never_index});
    const std::string bytes(h2::AsString(encoder.Encode(block.fields(), scratch)));
    ASSERT_EQ(inflater.Decode(bytes), Describe(fields)) << "round " << round;
  }
}

TEST(HpackPeer, WritesWhatWeRead) {
  Random random(4);
  Deflater deflater;
  Decoder decoder;
  std::vector<Text> fields;
  for (int round = 0; round < 3000; ++round) {
    if (random.OneIn(50)) deflater.SetTableBytes(random.Below(4097));
    if (round < 3 || random.OneIn(3)) fields = DrawFields(random);
    const std::string bytes = deflater.Encode(fields);
    const size_t piece = random.OneIn(2) ? SIZE_MAX : 1 + random.Below(50);
    ASSERT_EQ(decoder.Decode(bytes, piece), Describe(fields)) << "round " << round;
  }
}

TEST(HpackPeer, AgreesOnWhatNobodyWrote) {
  Random random(5);
  int refused = 0;
  for (int connection = 0; connection < 5000; ++connection) {
    Deflater deflater;
    h2::Nghttp2Inflater inflater;
    Decoder decoder;
    for (int block = 0; block < 3; ++block) {
      std::string bytes = deflater.Encode(DrawFields(random));
      for (size_t i = random.Below(4); i > 0 && !bytes.empty(); --i) {
        const size_t place = random.Below(bytes.size());
        if (random.OneIn(3))
          bytes.erase(place, 1 + random.Below(3));
        else if (random.OneIn(2))
          bytes.insert(place, 1, static_cast<char>(random.Below(256)));
        else
          bytes[place] ^= static_cast<char>(1 << random.Below(8));
      }
      const std::string theirs = inflater.Decode(bytes);
      ASSERT_EQ(decoder.Decode(bytes), theirs) << "connection " << connection << ", block " << block
                                               << " " << ::testing::PrintToString(bytes);
      if (theirs != h2::kBrokenBlock) continue;
      ++refused;
      break;
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 4750);
}

}  // namespace
}  // namespace pinion::http2
