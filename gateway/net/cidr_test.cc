#include "gateway/net/cidr.h"

#include "gtest/gtest.h"

namespace pinion::net {
namespace {

TEST(Cidr, ContainsWhatItsPrefixCovers) {
  struct Case {
    const char* range;
    const char* peer;
    bool contains;
  } cases[] = {
      {"127.0.0.0/8", "127.0.0.1:80", true},
      {"127.0.0.0/8", "127.255.3.4:1", true},
      {"127.0.0.0/8", "128.0.0.1:80", false},
      {"10.1.2.0/23", "10.1.3.255:9", true},
      {"10.1.2.0/23", "10.1.4.0:9", false},
      {"192.0.2.7", "192.0.2.7:5", true},
      {"192.0.2.7", "192.0.2.8:5", false},
      {"0.0.0.0/0", "8.8.8.8:53", true},
      {"0.0.0.0/0", "[2001:db8::1]:53", false},
      {"::1", "[::1]:80", true},
      {"2001:db8::/32", "[2001:db8:1::]:1", true},
      {"2001:db8::/32", "[2001:db9::]:1", false},
      {"127.0.0.0/8", "[::ffff:127.0.0.1]:80", true},
      {"127.0.0.0/8", "unix:", true},
      {"10.0.0.0/8", "unix:", false},
      {"10.0.0.0/8", "nonsense", false},
  };
  for (const Case& c : cases) {
    const auto cidr = Cidr::Parse(c.range);
    ASSERT_TRUE(cidr.ok()) << c.range;
    EXPECT_EQ(cidr->Contains(c.peer), c.contains) << c.range << " " << c.peer;
  }
}

TEST(Cidr, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::1/129",
                           "1.2.3/8", "10.0.0.0/8x"}) {
    EXPECT_EQ(Cidr::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace pinion::net
