#include "gateway/route/retry_policy.h"

#include <google/protobuf/text_format.h>

#include <string>

#include "gtest/gtest.h"

namespace pinion::route {
namespace {

std::shared_ptr<const RetryPolicy> Compile(const std::string& text) {
  routing::v1::RetryPolicy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy)) << text;
  return CompileRetryPolicy(policy);
}

TEST(RetryPolicy, OneAttemptIsNoPolicy) {
  EXPECT_EQ(Compile(""), nullptr);
  EXPECT_EQ(Compile("max_attempts: 1"), nullptr);
}

TEST(RetryPolicy, HasDefaults) {
  const auto policy = Compile("max_attempts: 3");
  EXPECT_EQ(policy->attempts_max, 3);
  EXPECT_EQ(policy->initial_backoff, absl::Milliseconds(100));
  EXPECT_EQ(policy->max_backoff, absl::Seconds(1));
  EXPECT_TRUE(policy->Retries(14));
  for (int status : {-1, 0, 1, 13, 15, 16, 31, 32, 99}) EXPECT_FALSE(policy->Retries(status));
}

TEST(RetryPolicy, BacksOffFromTheFirstToTheLast) {
  const auto policy = Compile(
      "max_attempts: 5 initial_backoff { nanos: 100000000 } max_backoff { nanos: 500000000 } "
      "backoff_multiplier: 2");
  const int64_t expected[] = {100, 200, 400, 500};
  for (int retry = 1; retry <= 4; ++retry) {
    EXPECT_EQ(policy->Backoff(retry), absl::Milliseconds(expected[retry - 1])) << retry;
  }
}

// As gRFC A6 has it: "treated as 5".
TEST(RetryPolicy, WhatIsOutOfRangeCountsAsTheNearest) {
  const auto policy = Compile(
      "max_attempts: 99 initial_backoff { seconds: 7 } backoff_multiplier: 0.1 "
      "retryable_status_codes: OK retryable_status_codes: ABORTED");
  EXPECT_EQ(policy->attempts_max, 5);
  EXPECT_EQ(policy->Backoff(4), absl::Seconds(7));
  EXPECT_TRUE(policy->Retries(10));
  EXPECT_FALSE(policy->Retries(0));
  EXPECT_FALSE(policy->Retries(14));
}

}  // namespace
}  // namespace pinion::route
