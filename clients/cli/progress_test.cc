#include "clients/cli/progress.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::cli {
namespace {

TEST(ProgressTest, SaysHowFarItIs) {
  EXPECT_EQ(ProgressText(0, 40, "records"), "[                    ]   0 %  0 of 40 records");
  EXPECT_EQ(ProgressText(10, 40, "records"), "[#####               ]  25 %  10 of 40 records");
  EXPECT_EQ(ProgressText(41, 40, "pins"), "[####################] 100 %  41 of 41 pins");
  EXPECT_EQ(ProgressText(7, 0, "records"), "7 records");
}

std::string Printed(bool terminal) {
  std::ostringstream out;
  std::ostringstream err;
  Invocation run({.out = out, .err = err, .err_is_terminal = terminal});
  {
    Progress progress(run, "records");
    progress.At(10, 40);
    progress.At(11, 40);
  }
  EXPECT_EQ(out.str(), "");
  return err.str();
}

TEST(ProgressTest, IsForTerminals) {
  EXPECT_EQ(Printed(false), "");
  EXPECT_EQ(Printed(true), "\r\x1b[K[#####               ]  25 %  10 of 40 records\r\x1b[K");
}

}  // namespace
}  // namespace pinion::cli
