#include "registry/model/usage.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

using registry::v1::ReportGatewayRequest;
using registry::v1::UsageRecord;
using registry::v1::UsageRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kGet[] = "/acme.AddressBook/Get";

UsageRow Row(const std::string& consumer, int64_t calls, const std::string& method = kGet) {
  UsageRow row;
  row.set_consumer(consumer);
  row.set_method(method);
  row.set_calls(calls);
  return row;
}

UsageRow Others(int64_t calls) {
  UsageRow row;
  row.set_others(true);
  row.set_calls(calls);
  return row;
}

// "billing /acme.AddressBook/Get 3 100-200" of each row.
std::vector<std::string> Texts(const UsageRecord& record) {
  std::vector<std::string> texts;
  for (const UsageRecord::Row& row : record.rows()) {
    texts.push_back(absl::StrCat(row.others() ? "(others)" : row.consumer(), " ", row.method(), " ",
                                 row.calls(), " ", row.first_seen(), "-", row.last_seen()));
  }
  return texts;
}

TEST(Usage, AnHourAddsUpByConsumerAndMethod) {
  UsageRecord record;
  AddUsage(Row("billing", 2), 200, record);
  AddUsage(Row("billing", 1), 100, record);
  AddUsage(Row("", 4), 150, record);
  AddUsage(Row("billing", 7, ""), 150, record);
  AddUsage(Others(9), 160, record);
  EXPECT_THAT(Texts(record), ElementsAre(absl::StrCat("billing ", kGet, " 3 100-200"),
                                         absl::StrCat(" ", kGet, " 4 150-150"),
                                         "billing  7 150-150", "(others)  9 160-160"));
}

TEST(Usage, BeyondTheRowsOfAnHourCallsAreCountedTogether) {
  UsageRecord record;
  for (int i = 0; i < kMaxUsageRows; ++i) AddUsage(Row(absl::StrCat("c", i), 1), 100, record);
  AddUsage(Row("late", 5), 200, record);
  AddUsage(Row("later", 6), 210, record);
  AddUsage(Row("c7", 1), 220, record);
  ASSERT_EQ(record.rows_size(), kMaxUsageRows + 1);
  EXPECT_EQ(record.rows(7).calls(), 2);
  EXPECT_TRUE(record.rows(kMaxUsageRows).others());
  EXPECT_EQ(record.rows(kMaxUsageRows).calls(), 11);
  EXPECT_EQ(record.rows(kMaxUsageRows).consumer(), "");
}

TEST(Usage, AFullRecordFitsWithOthersIntoATransaction) {
  UsageRecord record;
  const std::string method = "/" + std::string(kMaxUsageMethodBytes - 3, 'm') + "/M";
  for (int i = 0; i <= kMaxUsageRows; ++i) {
    AddUsage(Row(absl::StrCat(std::string(124, 'c'), 1000 + i), 1'000'000'000, method),
             1'800'000'000, record);
  }
  EXPECT_LT(record.ByteSizeLong(), 350u * 1024);
}

TEST(Usage, AMethodTooLongToKeepIsCountedWithoutItsName) {
  UsageRecord record;
  AddUsage(Row("billing", 1, std::string(kMaxUsageMethodBytes + 1, 'm')), 100, record);
  EXPECT_THAT(Texts(record), ElementsAre("billing  1 100-100"));
}

class TotalsTest : public ::testing::Test {
 protected:
  TotalsTest() {
    UsageRecord one, two;
    AddUsage(Row("billing", 2), 3600, one);
    AddUsage(Row("", 1), 3700, one);
    AddUsage(Others(5), 3800, one);
    AddUsage(Row("billing", 3), 7200, two);
    AddUsage(Row("billing", 1, "/acme.AddressBook/Put"), 7300, two);
    records_ = {one, two};
  }
  // "1.0.0 billing /acme.AddressBook/Get 5 3600-7200" of each.
  std::vector<std::string> Sum(const std::string& request_text = "") {
    registry::v1::ListUsageRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request_text, &request));
    UsageTotals totals(request);
    for (const UsageRecord& record : records_) totals.Add({"addressbook", "1.0.0"}, record);
    std::vector<std::string> texts;
    const registry::v1::ListUsageResponse response = totals.Take();
    for (const auto& total : response.totals()) {
      texts.push_back(absl::StrCat(
          total.version(), " ", total.others() ? "(others)" : total.consumer(), " ", total.method(),
          " ", total.calls(), " ", total.first_seen().seconds(), "-", total.last_seen().seconds()));
    }
    return texts;
  }
  std::vector<UsageRecord> records_;
};

TEST_F(TotalsTest, HoursAddUp) {
  EXPECT_THAT(Sum(),
              ElementsAre("1.0.0 (others)  5 3800-3800", "1.0.0  /acme.AddressBook/Get 1 3700-3700",
                          "1.0.0 billing /acme.AddressBook/Get 5 3600-7200",
                          "1.0.0 billing /acme.AddressBook/Put 1 7300-7300"));
}

TEST_F(TotalsTest, AConsumerOrAMethodCanBeAskedFor) {
  EXPECT_EQ(Sum("consumer: 'billing'").size(), 2u);
  EXPECT_THAT(Sum("consumer: ''"), ElementsAre("1.0.0  /acme.AddressBook/Get 1 3700-3700"));
  EXPECT_THAT(Sum("method: '/acme.AddressBook/Put'"),
              ElementsAre("1.0.0 billing /acme.AddressBook/Put 1 7300-7300"));
  EXPECT_THAT(Sum("consumer: 'shipping'"), IsEmpty());
}

TEST_F(TotalsTest, CallersAreThoseSeenSince) {
  const auto text = [](const std::vector<CallerUse>& callers) {
    std::vector<std::string> texts;
    for (const CallerUse& use : callers) {
      texts.push_back(absl::StrCat(use.others ? "(others)" : use.consumer, " ", use.calls, " ",
                                   use.last_seen, " ", use.last_method, " ", use.other_methods));
    }
    return texts;
  };
  EXPECT_THAT(text(CallersOf(records_, 0)),
              ElementsAre(" 1 3700 /acme.AddressBook/Get 0",
                          "billing 6 7300 /acme.AddressBook/Put 1", "(others) 5 3800  0"));
  EXPECT_THAT(text(CallersOf(records_, 3800)),
              ElementsAre("billing 4 7300 /acme.AddressBook/Put 1"));
  EXPECT_THAT(text(CallersOf(records_, 7300)), IsEmpty());
}

TEST(Report, WhatNoGatewaySaysIsRefused) {
  const std::string good = "gateway_id: 'g' start_id: '0af' sequence: 1 ";
  const std::string row = "service: 's' version: '1' calls: 1 since_last {} ";
  const auto outcome = [](const std::string& text) {
    ReportGatewayRequest report;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &report)) << text;
    return ValidateReport(report);
  };
  EXPECT_TRUE(outcome(good + "usage { " + row + "} open_calls { service: 's' calls: 1 }").ok());
  for (const std::string& bad : {
           std::string("gateway_id: 'g' start_id: '0a!' sequence: 1"),
           std::string("gateway_id: 'g' start_id: '' sequence: 1"),
           std::string("gateway_id: 'g' start_id: '0af' sequence: 0"),
           good + "interval { seconds: -1 }",
           good + "usage { service: 's' version: '1' calls: 0 }",
           good + "usage { service: 's' version: '1' calls: 1 since_last { seconds: -1 } }",
           good + "usage { service: 's' version: '" + std::string(65, '1') + "' calls: 1 }",
       }) {
    EXPECT_EQ(ReasonOf(outcome(bad)), "ARGUMENT_INVALID") << bad;
  }
  std::string many = good;
  for (int i = 0; i <= kMaxReportRows; ++i) absl::StrAppend(&many, "usage { ", row, "} ");
  EXPECT_THAT(std::string(outcome(many).message()), HasSubstr("at most 500 rows"));
}

}  // namespace
}  // namespace pinion::model
