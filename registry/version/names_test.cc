#include "registry/version/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pinion::version {
namespace {

using ::testing::HasSubstr;

TEST(NamesTest, ServiceNames) {
  for (const char* good : {"addressbook", "db/people", "a", "0", "a-b/c-1/d", "-"}) {
    EXPECT_TRUE(ValidateServiceName(good).ok()) << good;
  }
  for (const char* bad :
       {"", "/", "a/", "/a", "a//b", "A", "a b", "a.b", "a_b", "a\xc3\xa4", "a\n"}) {
    EXPECT_EQ(ValidateServiceName(bad).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_TRUE(ValidateServiceName(std::string(kMaxServiceNameBytes, 'a')).ok());
  EXPECT_FALSE(ValidateServiceName(std::string(kMaxServiceNameBytes + 1, 'a')).ok());
  EXPECT_THAT(ValidateServiceName("Greeter").message(), HasSubstr("lower-case"));
}

TEST(NamesTest, ChannelNames) {
  for (const char* good : {"stable", "beta-2", "1"}) EXPECT_TRUE(ValidateChannelName(good).ok());
  for (const char* bad : {"", "a/b", "Stable", "a b", "@stable", "stable."}) {
    EXPECT_FALSE(ValidateChannelName(bad).ok()) << bad;
  }
  EXPECT_THAT(ValidateChannelName("@stable").message(), HasSubstr("write `stable`"));
  EXPECT_FALSE(ValidateChannelName(std::string(kMaxChannelNameBytes + 1, 'a')).ok());
}

TEST(NamesTest, ConsumerNames) {
  for (const char* good : {"billing", "Team_A/billing", "billing@eu-1", "a.b:c"}) {
    EXPECT_TRUE(ValidateConsumerName(good).ok()) << good;
  }
  for (const char* bad : {"", "a b", "a\"b", "b\xc3\xa4", "a\n"}) {
    EXPECT_FALSE(ValidateConsumerName(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace pinion::version
