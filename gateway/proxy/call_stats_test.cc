#include "gateway/proxy/call_stats.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/route/refusal.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

route::VersionEntry Version(uint32_t id, const std::string& service, const std::string& name) {
  route::VersionEntry version;
  version.id = id;
  version.service = service;
  version.name = name;
  return version;
}

TEST(CallStats, AVersionKeepsItsSlot) {
  CallStats stats;
  VersionStats& one = stats.Of(Version(7, "greeter", "1.0.0"));
  VersionStats& two = stats.Of(Version(3, "greeter", "2.0.0"));
  EXPECT_NE(&one, &two);
  EXPECT_EQ(&one, &stats.Of(Version(7, "greeter", "1.0.0")));
  one.request_bytes.Add(5);
  std::set<std::string> seen;
  stats.ForEachVersion([&](const VersionStats& each) {
    seen.insert(absl::StrCat(each.service, " ", each.version, " ", each.request_bytes.value()));
  });
  EXPECT_EQ(seen, (std::set<std::string>{"greeter 1.0.0 5", "greeter 2.0.0 0", "other other 0"}));
}

TEST(CallStats, WhatFindsNoRoomIsCountedTogether) {
  CallStats stats;
  VersionStats* last = nullptr;
  for (uint32_t id = 0; id < limits::kMetricVersionsMax + 2; ++id) {
    VersionStats& slot = stats.Of(Version(id, "many", absl::StrCat(id)));
    EXPECT_EQ(slot.service, id < limits::kMetricVersionsMax ? "many" : "other");
    last = &slot;
  }
  EXPECT_EQ(last, &stats.Of(Version(limits::kMetricVersionsMax, "many", "more")));
  EXPECT_EQ(stats.Of(Version(0, "many", "0")).version, "0");

  for (size_t i = 0; i < limits::kMetricServicesMax + 2; ++i) {
    const std::string name = absl::StrCat("service-", i);
    EXPECT_EQ(stats.OfService(name).service, i < limits::kMetricServicesMax ? name : "other");
  }
  EXPECT_EQ(stats.OfService("service-0").service, "service-0");
  EXPECT_EQ(stats.OfService("").service, "");
}

TEST(CallStats, DurationsFallIntoTheirBuckets) {
  LatencyHistogram histogram;
  for (const absl::Duration each :
       {absl::ZeroDuration(), absl::Microseconds(500), absl::Microseconds(501),
        absl::Milliseconds(1), absl::Seconds(60), absl::Seconds(61), -absl::Seconds(1)}) {
    histogram.Observe(each);
  }
  EXPECT_EQ(histogram.bucket(0), 3u);
  EXPECT_EQ(histogram.bucket(1), 2u);
  EXPECT_EQ(histogram.bucket(LatencyHistogram::kBounds.size() - 1), 1u);
  EXPECT_EQ(histogram.bucket(LatencyHistogram::kBounds.size()), 1u);
  EXPECT_NEAR(histogram.sum_seconds(), 121.002001, 1e-9);
}

TEST(CallStats, CodesAndErrorsHaveNames) {
  EXPECT_EQ(CodeName(CodeIndex(0)), "OK");
  EXPECT_EQ(CodeName(CodeIndex(8)), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(CodeName(CodeIndex(16)), "UNAUTHENTICATED");
  for (const int odd : {-1, 17, 99}) EXPECT_EQ(CodeName(CodeIndex(odd)), "NONE") << odd;
  EXPECT_EQ(ErrorKindName(static_cast<size_t>(route::Reason::kPinRequired)), "PIN_REQUIRED");
  EXPECT_EQ(ErrorKindName(kReasonsMax + 4), "DEADLINE_EXCEEDED");
}

}  // namespace
}  // namespace pinion::proxy
