#include "gateway/proxy/trace_context.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

constexpr char kId[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kValid[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string Text(const std::vector<http2::HeaderField>& fields) {
  std::string text;
  for (const auto& field : fields) absl::StrAppend(&text, field.name, "=", field.value, ";");
  return text;
}

TEST(TraceContext, KnowsWhatIsValid) {
  const struct {
    const char* traceparent;
    bool valid;
  } kCases[] = {
      {kValid, true},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be", true},
      {"", false},
      {"00", false},
      {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false},
      {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x", false},
      {"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
      {"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333X-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x", false},
      {"0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", false},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01", false},
      {" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false},
  };
  for (const auto& each : kCases) {
    EXPECT_EQ(TraceIdOf(each.traceparent), each.valid ? kId : "") << each.traceparent;
  }
}

TEST(TraceContext, PassesAValidOneOnUnchanged) {
  Random random(1);
  TraceContext context;
  context.Begin(kValid, false, random);
  EXPECT_EQ(context.trace_id(), kId);
  std::vector<http2::HeaderField> fields = {
      {"traceparent", kValid}, {"x", "1"}, {"tracestate", "a=b"}};
  context.AddTo(fields);
  EXPECT_EQ(Text(fields), absl::StrCat("traceparent=", kValid, ";x=1;tracestate=a=b;"));
}

TEST(TraceContext, MakesOneWhereThereIsNoneThatIsValid) {
  const struct {
    const char* traceparent;
    bool repeated;
  } kCases[] = {{"", false}, {"00-nonsense", false}, {kValid, true}};
  Random random(1);
  std::set<std::string> ids;
  for (const auto& each : kCases) {
    TraceContext context;
    context.Begin(each.traceparent, each.repeated, random);
    std::vector<http2::HeaderField> fields = {{"x", "1"}};
    if (*each.traceparent != '\0') fields.push_back({"traceparent", each.traceparent});
    fields.push_back({"tracestate", "a=b"});
    fields.push_back({"y", "2"});
    context.AddTo(fields);
    ASSERT_EQ(fields.size(), 3u) << Text(fields);
    EXPECT_EQ(fields[1].name, "y");
    EXPECT_EQ(fields[2].name, "traceparent");
    EXPECT_EQ(TraceIdOf(fields[2].value), context.trace_id());
    EXPECT_EQ(fields[2].value.substr(0, 3), "00-");
    EXPECT_EQ(fields[2].value.substr(52), "-02");
    EXPECT_TRUE(ids.insert(std::string(context.trace_id())).second);
  }
}

}  // namespace
}  // namespace pinion::proxy
