#include "gateway/proxy/grpc_timeout.h"

#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

TEST(GrpcTimeout, ParsesDigitsAndUnit) {
  EXPECT_EQ(ParseGrpcTimeout("1H"), absl::Hours(1));
  EXPECT_EQ(ParseGrpcTimeout("2M"), absl::Minutes(2));
  EXPECT_EQ(ParseGrpcTimeout("3S"), absl::Seconds(3));
  EXPECT_EQ(ParseGrpcTimeout("004m"), absl::Milliseconds(4));
  EXPECT_EQ(ParseGrpcTimeout("5u"), absl::Microseconds(5));
  EXPECT_EQ(ParseGrpcTimeout("0n"), absl::ZeroDuration());
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), absl::Hours(99999999));
}

TEST(GrpcTimeout, RefusesEverythingElse) {
  for (const char* text : {"", "5", "S", "1h", "1s", "-1S", "+1S", "1.5S", " 1S", "1S ", "1 S",
                           "100000000S", "1000000000S", "0x1S", "1SS", "S1"}) {
    EXPECT_FALSE(ParseGrpcTimeout(text).has_value()) << text;
  }
}

TEST(GrpcTimeout, FormatsTheFinestUnitThatHoldsIt) {
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(99999999)), "99999999n");
  EXPECT_EQ(FormatGrpcTimeout(absl::Nanoseconds(100000000)), "100000u");
  EXPECT_EQ(FormatGrpcTimeout(absl::Seconds(100)), "100000m");
  EXPECT_EQ(FormatGrpcTimeout(absl::Hours(24 * 365)), "31536000S");
  EXPECT_EQ(FormatGrpcTimeout(absl::ZeroDuration()), "0n");
  EXPECT_EQ(FormatGrpcTimeout(absl::Seconds(-1)), "0n");
  EXPECT_EQ(FormatGrpcTimeout(absl::InfiniteDuration()), "99999999H");
}

TEST(GrpcTimeout, NeverGrowsOnItsWay) {
  for (int64_t nanoseconds = 1; nanoseconds < int64_t{1} << 60;
       nanoseconds = nanoseconds * 7 / 3 + 1) {
    const absl::Duration timeout = absl::Nanoseconds(nanoseconds);
    const auto again = ParseGrpcTimeout(FormatGrpcTimeout(timeout));
    ASSERT_TRUE(again.has_value()) << timeout;
    EXPECT_LE(*again, timeout);
    EXPECT_GE(*again * 1.001, timeout) << "and loses less than a thousandth";
  }
}

}  // namespace
}  // namespace pinion::proxy
