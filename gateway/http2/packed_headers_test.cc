#include "gateway/http2/packed_headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/random.h"

namespace pinion::http2 {
namespace {

std::string Text(const HeaderField& field) {
  return absl::StrCat(field.name, "=", field.value, field.never_index ? "!" : "",
                      field.well_formed ? "+" : "", " ", field.hash, " ",
                      static_cast<int>(field.name_id));
}

std::vector<std::string> Texts(absl::Span<const HeaderField> fields) {
  std::vector<std::string> texts;
  for (const HeaderField& field : fields) texts.push_back(Text(field));
  return texts;
}

std::vector<HeaderField> Unpack(const PackedHeaders& packed) {
  std::vector<HeaderField> fields;
  packed.AddTo(fields);
  return fields;
}

HeaderField Random(testing::Random& random, std::string& name, std::string& value) {
  name = random.OneIn(2) ? "grpc-timeout" : std::string(1 + random.Below(30), 'n');
  value = std::string(random.Below(random.OneIn(8) ? 3000 : 60), 'v');
  HeaderField field = {name, value};
  field.never_index = random.OneIn(4);
  field.well_formed = random.OneIn(2);
  field.hash = static_cast<uint32_t>(random.Below(1 << 30));
  return field;
}

// Of all sizes, so that memory is found too small, used again, and dropped.
TEST(PackedHeaders, HoldWhatTheBlockHeldOverManyLives) {
  testing::Random random(11);
  PackedHeaders packed;
  EXPECT_TRUE(Unpack(packed).empty());
  for (int life = 0; life < 2000; ++life) {
    HeaderBlock block;
    std::string name, value;
    for (size_t i = random.Below(12); i > 0; --i) block.Add(Random(random, name, value));
    const std::vector<std::string> all = Texts(block.fields());
    packed.Take(block);
    ASSERT_EQ(Texts(block.fields()), all);
    ASSERT_EQ(Texts(Unpack(packed)), all);
    const std::vector<HeaderField> views(block.fields().begin(), block.fields().end());
    block.Clear();
    for (size_t i = all.size(); i > 0; --i) block.Add("x", std::string(500, '?'));
    ASSERT_EQ(Texts(views), all);  // of the packed texts, not of the block's
    if (random.OneIn(2)) packed.Clear();
  }
}

TEST(PackedHeaders, LikeHeadersFindTheirMemoryAgain) {
  HeaderBlock block;
  block.Add(":path", "/a.B/C");
  block.Add("authorization", std::string(1500, 't'));
  PackedHeaders packed;
  packed.Take(block);
  const char* const first = block.fields()[0].value.data();
  packed.Clear();
  EXPECT_TRUE(Unpack(packed).empty());
  packed.Take(block);
  EXPECT_EQ(block.fields()[0].value.data(), first);
}

}  // namespace
}  // namespace pinion::http2
