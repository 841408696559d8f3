#include "gateway/proxy/call_usage.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/observability_limits.h"
#include "gateway/route/testing_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kVersionOne[] =
    "version { service: 'greeter' name: '1.0.0' state: ACTIVE methods { grpc_service: "
    "'acme.Greeter' methods: 'Hello' methods: 'Bye' } }";
constexpr char kVersionTwo[] = "version { service: 'greeter' name: '2.0.0' state: ACTIVE }";

class CallUsageTest : public ::testing::Test {
 protected:
  CallUsageTest() {
    Put({"service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' }", kVersionOne,
         kVersionTwo, "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
         "consumer { name: 'billing' }", "consumer { name: 'shipping' }",
         "pin { consumer: 'shipping' service: 'greeter' expression: '2.0.0' }"});
  }

  void Put(std::initializer_list<std::string> resources) {
    route::PutAll(tables_, resources);
    table_ = tables_.Build();
  }

  // A call of `consumer` (empty: unregistered) a second after the last one; the version it runs on.
  const route::VersionEntry& Begin(const std::string& consumer,
                                   const std::string& path = "/acme.Greeter/Hello") {
    const auto found = table_->FindConsumerByHeader(consumer);
    route::CallQuery query{.method = *route::ParseMethodPath(path)};
    if (found) query.consumer = &*found;
    route::HeaderResolutions headers;
    const route::Resolved resolved = table_->Resolve(query, headers);
    const auto& route = std::get<route::Route>(resolved);
    now_ += absl::Seconds(1);
    usage_.Begin(*table_, route, query.consumer, path, now_);
    return *route.version;
  }
  void Call(const std::string& consumer, const std::string& path = "/acme.Greeter/Hello") {
    usage_.End(Begin(consumer, path));
  }

  // "billing 1.0.0 /acme.Greeter/Hello 2" of each row, sorted.
  std::vector<std::string> Take() {
    std::vector<std::string> texts;
    const route::Usage usage = usage_.Take(*table_);
    for (const route::UsageRow& row : usage.rows) {
      EXPECT_EQ(row.service, "greeter");
      texts.push_back(absl::StrCat(row.others ? "(others)" : row.consumer, " ", row.version, " ",
                                   row.method, " ", row.calls));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }
  // "1.0.0 2" of each version.
  std::vector<std::string> Open() {
    std::vector<std::string> texts;
    for (const route::OpenCalls& open : usage_.Take(*table_).open) {
      texts.push_back(absl::StrCat(open.version, " ", open.calls));
    }
    return texts;
  }

  route::TableBuilder tables_;
  std::shared_ptr<const route::RouteTable> table_;
  absl::Time now_ = absl::UnixEpoch();
  CallUsage usage_{/*counts=*/true};
};

TEST_F(CallUsageTest, CallsAreToldApartByConsumerVersionAndMethod) {
  Call("billing");
  Call("billing");
  Call("billing", "/acme.Greeter/Bye");
  Call("shipping");
  Call("");
  Call("nobody");
  EXPECT_THAT(
      Take(),
      ElementsAre(" 1.0.0 /acme.Greeter/Hello 2", "billing 1.0.0 /acme.Greeter/Bye 1",
                  "billing 1.0.0 /acme.Greeter/Hello 2", "shipping 2.0.0 /acme.Greeter/Hello 1"));
}

TEST_F(CallUsageTest, ACallIsTakenOnceWhenItBegins) {
  const route::VersionEntry& version = Begin("billing");
  const route::Usage usage = usage_.Take(*table_);
  ASSERT_EQ(usage.rows.size(), 1u);
  EXPECT_EQ(usage.rows[0].last, now_);
  usage_.End(version);
  EXPECT_THAT(Take(), IsEmpty());
  Call("billing");
  EXPECT_THAT(Take(), ElementsAre("billing 1.0.0 /acme.Greeter/Hello 1"));
}

TEST_F(CallUsageTest, AMethodThatCallersMakeUpIsNoRowOfItsOwn) {
  Call("shipping", "/acme.Greeter/Once");
  Call("shipping", "/acme.Greeter/Twice");
  EXPECT_THAT(Take(), ElementsAre("shipping 2.0.0  2"));
}

TEST_F(CallUsageTest, OpenCallsAreThoseOfVersionsThatEnd) {
  const auto begun_with = table_;  // as a call keeps it to its end
  const route::VersionEntry& one = Begin("billing");
  Begin("billing");
  Begin("shipping");
  EXPECT_THAT(Open(), IsEmpty()) << "they are active";
  Put({"version { service: 'greeter' name: '1.0.0' state: DEPRECATED }"});
  EXPECT_THAT(Open(), ElementsAre("1.0.0 2"));
  usage_.End(one);
  EXPECT_THAT(Open(), ElementsAre("1.0.0 1"));
  tables_.Clear();
  table_ = tables_.Build();
  EXPECT_THAT(Open(), UnorderedElementsAre("1.0.0 1", "2.0.0 1")) << "what is gone has ended, too";
}

TEST_F(CallUsageTest, WhatFindsNoRoomIsCountedByVersion) {
  for (size_t i = 0; i < limits::kUsageRowsMax; ++i) {
    const std::string name = absl::StrCat("consumer-", i);
    route::PutAll(tables_, {absl::StrCat("consumer { name: '", name, "' }")});
  }
  table_ = tables_.Build();
  for (size_t i = 0; i < limits::kUsageRowsMax; ++i) Call(absl::StrCat("consumer-", i));
  Call("billing");
  Call("shipping");
  Call("billing");
  Call("consumer-7");
  const std::vector<std::string> rows = Take();
  EXPECT_EQ(rows.size(), limits::kUsageRowsMax + 2);
  EXPECT_THAT(rows, ::testing::Contains("(others) 1.0.0  2"));
  EXPECT_THAT(rows, ::testing::Contains("(others) 2.0.0  1"));
  EXPECT_THAT(rows, ::testing::Contains("consumer-7 1.0.0 /acme.Greeter/Hello 2"));
  // Rows that nobody used since are given up.
  EXPECT_THAT(Take(), IsEmpty());
  Call("billing");
  EXPECT_THAT(Take(), ElementsAre("billing 1.0.0 /acme.Greeter/Hello 1"));
}

// A table made anew numbers consumers and methods anew, but not versions.
TEST_F(CallUsageTest, ANumberThatMeansAnotherNameIsNotCountedUnderTheOldOne) {
  Call("billing");
  tables_.Clear();
  Put({"service { name: 'greeter' scheme: SEMVER grpc_services: 'acme.Greeter' }",
       "version { service: 'greeter' name: '1.0.0' state: ACTIVE methods { grpc_service: "
       "'acme.Greeter' methods: 'Bye' methods: 'Hello' } }",
       "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
       "consumer { name: 'archive' }", "consumer { name: 'billing' }"});
  Call("archive");
  Call("billing", "/acme.Greeter/Bye");
  for (const std::string& row : Take()) {
    const std::set<std::string> right = {
        "billing 1.0.0 /acme.Greeter/Hello 1", "archive 1.0.0 /acme.Greeter/Hello 1",
        "billing 1.0.0 /acme.Greeter/Bye 1", "(others) 1.0.0  1", "(others) 1.0.0  2"};
    EXPECT_THAT(right, ::testing::Contains(row));
  }
  Take();
  Call("archive");
  EXPECT_THAT(Take(), ElementsAre("archive 1.0.0 /acme.Greeter/Hello 1"));
}

TEST_F(CallUsageTest, WhatNobodyAsksForIsNotCounted) {
  CallUsage off(/*counts=*/false);
  route::HeaderResolutions headers;
  route::CallQuery query{.method = *route::ParseMethodPath("/acme.Greeter/Hello")};
  const route::Resolved resolved = table_->Resolve(query, headers);
  const auto& route = std::get<route::Route>(resolved);
  off.Begin(*table_, route, nullptr, "/acme.Greeter/Hello", now_);
  off.End(*route.version);
  EXPECT_THAT(off.Take(*table_).rows, IsEmpty());
}

}  // namespace
}  // namespace pinion::proxy
