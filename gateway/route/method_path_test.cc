#include "gateway/route/method_path.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/limits.h"

namespace pinion::route {
namespace {

TEST(MethodPathTest, Splits) {
  const auto path = ParseMethodPath("/helloworld.Greeter/SayHello");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->full, "/helloworld.Greeter/SayHello");
  EXPECT_EQ(path->grpc_service, "helloworld.Greeter");
  EXPECT_EQ(path->method, "SayHello");
}

TEST(MethodPathTest, NeverDecodes) {
  const auto path = ParseMethodPath("/a.B%2fC/%47et");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->grpc_service, "a.B%2fC");
  EXPECT_EQ(path->method, "%47et");
  EXPECT_EQ(ParseMethodPath("/a.B/..")->method, "..");
}

TEST(MethodPathTest, Refuses) {
  const std::string longest = "/s/" + std::string(limits::kMaxMethodPathBytes - 3, 'm');
  EXPECT_TRUE(ParseMethodPath(longest).has_value());
  const std::string cases[] = {"",
                               "/",
                               "a.B/Get",
                               "//",
                               "/a.B",
                               "/a.B/",
                               "//Get",
                               "/a.B//Get",
                               "/a.B/C/D",
                               "/a.B/Get/",
                               "/a.B/G et",
                               "*",
                               std::string("/a.B/G\0t", 8),
                               "/a.B/G\xc3\xa4t",
                               "/a.B/Get\n",
                               longest + "m"};
  for (const std::string& raw : cases) EXPECT_FALSE(ParseMethodPath(raw).has_value()) << raw;
}

TEST(MethodPathTest, QueryIsCutOffOnlyWhenAsked) {
  EXPECT_EQ(WithoutQuery("/a.B/Get?x=/1?2"), "/a.B/Get");
  EXPECT_EQ(WithoutQuery("/a.B/Get"), "/a.B/Get");
  EXPECT_EQ(WithoutQuery("?"), "");
  EXPECT_EQ(ParseMethodPath("/a.B/Get?x")->method, "Get?x");
}

}  // namespace
}  // namespace pinion::route
