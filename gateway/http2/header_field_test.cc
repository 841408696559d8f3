#include "gateway/http2/header_field.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/http2/hpack_static_table.h"

namespace pinion::http2 {
namespace {

TEST(HeaderName, IsTheFirstIndexOfTheStaticTable) {
  for (size_t i = 0; i < kStaticHeaders.size(); ++i) {
    const HeaderName name = FindHeaderName(kStaticHeaders[i].name);
    EXPECT_EQ(name, kStaticNames[i]) << kStaticHeaders[i].name;
    EXPECT_EQ(kStaticHeaders[static_cast<size_t>(name) - 1].name, kStaticHeaders[i].name);
    EXPECT_EQ(IsPseudo(name), kStaticHeaders[i].name[0] == ':');
  }
  EXPECT_EQ(FindHeaderName(":path"), HeaderName::kPath);
  EXPECT_EQ(FindHeaderName("content-type"), HeaderName::kContentType);
  EXPECT_EQ(FindHeaderName("www-authenticate"), HeaderName::kStaticLast);
}

TEST(HeaderName, HasOneText) {
  std::set<absl::string_view> texts;
  for (auto i = static_cast<int>(HeaderName::kStaticLast) + 1;
       i < static_cast<int>(HeaderName::kOther); ++i) {
    const absl::string_view text = TextOf(HeaderName(i));
    EXPECT_EQ(FindHeaderName(text), HeaderName(i)) << text;
    EXPECT_FALSE(IsPseudo(HeaderName(i)));
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
}

TEST(HeaderName, OthersAreOther) {
  for (const char* name : {"", "x", "Content-Type", "content-typ", "content-type ", ":pat"}) {
    EXPECT_EQ(FindHeaderName(name), HeaderName::kOther) << name;
  }
}

TEST(HeaderField, AListHas32BytesForEachField) {
  EXPECT_EQ(ListBytes({}), 0u);
  EXPECT_EQ(ListBytes({{{"te", "trailers"}, {"x", ""}}}), 2 + 8 + 32 + 1 + 32u);
}

TEST(HeaderField, HashIsTheSameWhetherTheNameWasReadOrNot) {
  const HeaderField unread = {"te", "trailers"};
  EXPECT_EQ(HashOf(unread), HashOf(MakeField(HeaderName::kTe, "trailers")));
}

TEST(HeaderField, HashesOfLikeFieldsDiffer) {
  std::set<uint32_t> hashes;
  for (const absl::string_view name : {"te", "a", "name-of-mine"}) {
    std::string value;
    for (int length = 0; length < 40; ++length) {
      hashes.insert(HashOf({name, value}));
      hashes.insert(HashOf({absl::StrCat(name, "x"), value}));
      value.push_back('v');
    }
  }
  EXPECT_EQ(hashes.size(), 3 * 2 * 40u);
  EXPECT_EQ(hashes.count(0), 0u);
}

TEST(HeaderField, AnotherValueIsNotKnown) {
  HeaderField field = MakeField(HeaderName::kTe, "trailers");
  field.well_formed = true;
  field.hash = HashOf(field);
  field.SetValue("gzip");
  EXPECT_FALSE(field.well_formed);
  EXPECT_EQ(field.hash, 0u);
  EXPECT_EQ(field.Name(), HeaderName::kTe);
}

}  // namespace
}  // namespace pinion::http2
