#include "gateway/watch/gateway_reports.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/watch_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::watch {
namespace {

using registry::v1::ReportGatewayRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kInterval = absl::Seconds(30);

class GatewayReportsTest : public ::testing::Test {
 protected:
  route::UsageRow Row(const std::string& consumer, uint64_t calls,
                      const std::string& version = "1.0.0") const {
    return {.service = "greeter",
            .version = version,
            .consumer = consumer,
            .method = "/acme.Greeter/Hello",
            .calls = calls,
            .last = now_};
  }
  static route::Usage Of(std::vector<route::UsageRow> rows,
                         std::vector<route::OpenCalls> open = {}) {
    return {.rows = std::move(rows), .open = std::move(open)};
  }
  // A collection that both workers answer.
  void Collect(route::Usage one, route::Usage two = {}) {
    const int64_t collection = reports_.BeginCollection(++revision_, now_);
    reports_.Add(collection, std::move(one));
    reports_.Add(collection, std::move(two));
  }
  // "1@r7: billing 1.0.0 2, …; open 1.0.0 3": sequence, revision and rows; "none".
  std::string Take() {
    const std::optional<ReportGatewayRequest> report = reports_.TakeReport(now_);
    if (!report) return "none";
    std::string text = absl::StrCat(report->sequence(), "@", report->revision(), ":");
    for (const auto& row : report->usage()) {
      absl::StrAppend(&text, " ", row.others() ? "(others)" : row.consumer(), " ", row.version(),
                      " ", row.calls());
    }
    for (const auto& open : report->open_calls()) {
      absl::StrAppend(&text, " open ", open.version(), " ", open.calls());
    }
    return text;
  }
  void Answer(const absl::Status& status = absl::OkStatus()) { reports_.Answer(status, now_); }

  GatewayReports reports_{{.start_id = "00ff", .workers = 2, .interval = kInterval}};
  absl::Time now_ = absl::UnixEpoch();
  int64_t revision_ = 0;
};

TEST_F(GatewayReportsTest, TheWorkersOfACollectionAreOneReport) {
  int woken = 0;
  reports_.WakeWith([&woken] { ++woken; });
  EXPECT_EQ(reports_.collection_due(), absl::InfinitePast());
  const int64_t collection = reports_.BeginCollection(7, now_);
  EXPECT_EQ(reports_.collection_due(), now_ + kInterval);
  reports_.Add(collection, Of({Row("billing", 2)}, {{"greeter", "1.0.0", 3}}));
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(Take(), "none") << "a worker is missing";
  now_ += absl::Seconds(2);
  reports_.Add(collection, Of({Row("billing", 1), Row("shipping", 5)}, {{"greeter", "1.0.0", 1}}));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(reports_.due(), absl::InfinitePast());
  EXPECT_EQ(Take(), "1@7: billing 1.0.0 3 shipping 1.0.0 5 open 1.0.0 4");
  EXPECT_EQ(reports_.due(), absl::InfiniteFuture()) << "its answer comes first";
  EXPECT_EQ(reports_.counts().waiting_rows, 2);
  Answer();
  EXPECT_EQ(Take(), "none");
  EXPECT_EQ(reports_.counts().taken, 1);
  EXPECT_EQ(reports_.counts().waiting_rows, 0);
}

TEST_F(GatewayReportsTest, WhereNothingWasCalledTheGatewayIsStillHeard) {
  Collect({});
  EXPECT_EQ(Take(), "1@1:");
  Answer();
  Collect({});
  EXPECT_EQ(Take(), "2@2:");
}

TEST_F(GatewayReportsTest, WhatIsMergedWhileTheRegistryIsAwayIsSaidOnce) {
  Collect(Of({Row("billing", 2)}));
  Collect(Of({Row("billing", 3)}), Of({Row("shipping", 1)}));
  now_ += absl::Minutes(10);
  Collect(Of({Row("billing", 4)}));
  EXPECT_EQ(Take(), "1@3: billing 1.0.0 9 shipping 1.0.0 1");
  Answer();
  EXPECT_EQ(Take(), "none");
}

TEST_F(GatewayReportsTest, AReportWhoseAnswerWasLostIsSentAgainAsItWas) {
  Collect(Of({Row("billing", 2)}));
  EXPECT_EQ(Take(), "1@1: billing 1.0.0 2");
  Answer(absl::UnavailableError("connection lost"));
  Collect(Of({Row("billing", 5)}));
  EXPECT_EQ(Take(), "none") << "not at once";
  EXPECT_EQ(reports_.due(), now_ + limits::kReportRetry);
  now_ += limits::kReportRetry;
  const std::optional<ReportGatewayRequest> again = reports_.TakeReport(now_);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->sequence(), 1);
  ASSERT_EQ(again->usage_size(), 1);
  EXPECT_EQ(again->usage(0).calls(), 2);
  EXPECT_EQ(again->usage(0).since_last().seconds(), 5) << "the time went on";
  Answer();
  EXPECT_EQ(Take(), "2@2: billing 1.0.0 5");
}

TEST_F(GatewayReportsTest, WhatTheRegistryRefusesIsDroppedAndCounted) {
  Collect(Of({Row("billing", 2), Row("shipping", 3)}));
  EXPECT_NE(Take(), "none");
  Answer(absl::UnimplementedError("an older registry"));
  EXPECT_EQ(Take(), "none");
  EXPECT_EQ(reports_.counts().refused, 1);
  EXPECT_EQ(reports_.counts().dropped_calls, 5);
  Collect(Of({Row("billing", 1)}));
  EXPECT_EQ(Take(), "2@2: billing 1.0.0 1");
}

TEST_F(GatewayReportsTest, AReportIsOfBoundedSizeAndTheRestFollows) {
  std::vector<route::UsageRow> rows;
  for (size_t i = 0; i < limits::kUsageRowsPerReport + 3; ++i) {
    rows.push_back(Row(absl::StrCat("consumer-", i), 1));
  }
  Collect(Of(rows));
  EXPECT_EQ(reports_.TakeReport(now_)->usage_size(), static_cast<int>(limits::kUsageRowsPerReport));
  EXPECT_FALSE(reports_.TakeReport(now_).has_value()) << "one at a time";
  Answer();
  EXPECT_EQ(reports_.TakeReport(now_)->usage_size(), 3);
}

TEST_F(GatewayReportsTest, BeyondTheRowsThatAreKeptCallsAreCountedByVersion) {
  std::vector<route::UsageRow> rows;
  for (size_t i = 0; i < limits::kUsageRowsKept; ++i) {
    rows.push_back(Row(absl::StrCat("consumer-", i), 1));
  }
  Collect(Of(rows), Of({Row("late", 2), Row("later", 3), Row("consumer-1", 1)}));
  EXPECT_EQ(reports_.counts().waiting_rows, static_cast<int64_t>(limits::kUsageRowsKept) + 3)
      << "as they came";
  int64_t others = 0;
  int64_t calls = 0;
  bool merged = false;
  while (const std::optional<ReportGatewayRequest> report = reports_.TakeReport(now_)) {
    if (!std::exchange(merged, true)) {
      EXPECT_EQ(reports_.counts().waiting_rows, static_cast<int64_t>(limits::kUsageRowsKept) + 1);
    }
    for (const auto& row : report->usage()) {
      calls += row.calls();
      if (row.others()) others += row.calls();
    }
    Answer();
  }
  EXPECT_EQ(others, 5);
  EXPECT_EQ(calls, static_cast<int64_t>(limits::kUsageRowsKept) + 6);

  rows.clear();
  for (size_t i = 0; i < limits::kUsageRowsKept + limits::kUsageVersionsKept + 1; ++i) {
    rows.push_back(Row("", 1, absl::StrCat(i, ".0.0")));
  }
  Collect(Of(rows));
  EXPECT_TRUE(reports_.TakeReport(now_).has_value());
  EXPECT_EQ(reports_.counts().dropped_calls, 1);
}

TEST_F(GatewayReportsTest, AWorkerThatIsLateCountsButSaysNothingOfOpenCalls) {
  const int64_t first = reports_.BeginCollection(5, now_);
  reports_.Add(first, Of({Row("billing", 1)}, {{"greeter", "1.0.0", 1}}));
  Collect(Of({}, {{"greeter", "1.0.0", 2}}));
  reports_.Add(first, Of({Row("billing", 4)}, {{"greeter", "1.0.0", 9}}));
  EXPECT_EQ(Take(), "1@1: billing 1.0.0 5 open 1.0.0 2");
}

TEST_F(GatewayReportsTest, MoreVersionsThanAReportHoldsAreSaidToBeMore) {
  std::vector<route::OpenCalls> open;
  for (size_t i = 0; i <= limits::kOpenVersionsPerReport; ++i) {
    open.push_back({"greeter", absl::StrCat(i, ".0.0"), 1});
  }
  Collect(Of({}, open));
  const std::optional<ReportGatewayRequest> report = reports_.TakeReport(now_);
  EXPECT_EQ(report->open_calls_size(), static_cast<int>(limits::kOpenVersionsPerReport));
  EXPECT_TRUE(report->more_open_calls());
  EXPECT_THAT(report->start_id(), "00ff");
  EXPECT_EQ(report->interval().seconds(), 30);
}

}  // namespace
}  // namespace pinion::watch
