// Each page's content, without a socket.
#include "gateway/admin/pages.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <limits>

namespace pinion::admin {
namespace {

using testing::HasSubstr;

class PagesTest : public testing::Test {
 protected:
  PagesTest()
      : pages_({[this] { return bootstrap_; }, [this] { return table_; },
                [this] { return metrics_; }, [this] { return draining_; },
                [this](const std::string& id) { return Accept(id); }}) {
    Configure(R"(node { id: "a\"<b>" }
                 gateway { drain_timeout { seconds: 1 nanos: 500000000 } })");
  }

  void Configure(const std::string& text) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &bootstrap_));
  }

  Page Get(std::string_view path, std::string_view filter = "") {
    return pages_.Answer({"GET", path, filter, ""});
  }
  Page Post(std::string_view path, std::string_view registry) {
    return pages_.Answer({"POST", path, "", registry});
  }
  absl::Status Accept(const std::string& id) {
    accepted_ = id;
    return id == "good" ? absl::OkStatus() : absl::FailedPreconditionError("nothing is refused");
  }

  std::string accepted_;

  config::v1::Bootstrap bootstrap_;
  TableStatus table_;
  std::vector<MetricFamily> metrics_;
  bool draining_ = false;
  Pages pages_;
};

TEST_F(PagesTest, IndexLinksToPagesThatExist) {
  const Page index = Get("/");
  EXPECT_EQ(index.status, 200);
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/stats", "/config_dump"}) {
    EXPECT_THAT(index.body, HasSubstr(std::string("href=\"") + path + "\""));
    EXPECT_NE(Get(path).status, 404) << path;
  }
  const Page unknown = Get("/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("/metrics"));
}

TEST_F(PagesTest, OnlyReads) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", ""}) {
    EXPECT_EQ(pages_.Answer({method, "/healthz", "", ""}).status, 405) << method;
  }
  EXPECT_EQ(pages_.Answer({"HEAD", "/healthz", "", ""}).status, 200);
}

TEST_F(PagesTest, AnOperatorsWordIsPostedAndPassedOn) {
  for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS"}) {
    const Page page = pages_.Answer({method, "/accept", "", "good"});
    EXPECT_EQ(page.status, 405) << method;
    EXPECT_EQ(page.allow, "POST");
    EXPECT_EQ(accepted_, "") << method;
  }
  EXPECT_EQ(Post("/accept", "good").status, 200);
  EXPECT_EQ(accepted_, "good");
  EXPECT_EQ(Post("/accept", "").status, 409);
  EXPECT_EQ(Post("/accept", "").body, "nothing is refused\n");
}

// kuma#18329: it was, and every page said that all was well.
TEST_F(PagesTest, FrozenIsShownAsFrozen) {
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  table_ = {.in_place = true,
            .revision = 42,
            .source = "registry",
            .registry = "away for 3m",
            .frozen = true,
            .warning = "mind this"};
  EXPECT_EQ(Get("/healthz").status, 200) << "a restart would not thaw it";
  EXPECT_EQ(Get("/healthz").body, "frozen: away for 3m\n");
  EXPECT_EQ(Get("/readyz").status, 200) << "it serves what it knows";
  EXPECT_EQ(Get("/readyz").body,
            "ready, frozen\nrevision: 42\nage: 0\nsource: registry\nregistry: away for 3m\n"
            "warning: mind this\n");
}

TEST_F(PagesTest, ReadyOnceATableIsInPlaceAndUntilDraining) {
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("no route table yet"));
  EXPECT_EQ(Get("/healthz").status, 200);
  table_ = {.in_place = true,
            .revision = 42,
            .age = absl::Milliseconds(1500),
            .source = "snapshot",
            .registry = "away for 3m"};
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body,
            "ready\nrevision: 42\nage: 1.5s\nsource: snapshot\nregistry: away for 3m\n");
  draining_ = true;
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("draining"));
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(PagesTest, ConfigDumpIsJson) {
  for (const bool in_place : {false, true}) {
    table_ = {.in_place = in_place,
              .revision = 7,
              .age = absl::Seconds(2),
              .source = "sta\"tic",
              .pins = 3};
    const Page page = Get("/config_dump");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.content_type, "application/json");
    google::protobuf::Struct dump;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(page.body, &dump).ok()) << page.body;
    const auto& bootstrap = dump.fields().at("bootstrap").struct_value().fields();
    EXPECT_EQ(bootstrap.at("node").struct_value().fields().at("id").string_value(), "a\"<b>");
    EXPECT_EQ(bootstrap.at("gateway").struct_value().fields().at("drain_timeout").string_value(),
              "1.500s");
    const auto& table = dump.fields().at("route_table").struct_value().fields();
    EXPECT_EQ(table.at("in_place").bool_value(), in_place);
    if (!in_place) continue;
    EXPECT_EQ(table.at("revision").number_value(), 7);
    EXPECT_EQ(table.at("source").string_value(), "sta\"tic");
    EXPECT_EQ(table.at("pins").number_value(), 3);
  }
}

TEST_F(PagesTest, ConfigDumpShowsNoSecret) {
  // What is not configured does not appear either.
  EXPECT_THAT(Get("/config_dump").body, testing::Not(HasSubstr("static_resources")));
  Configure(
      R"(gateway { jwt_issuers { issuer: "i" jwks_url: "https://keys/set?code=hush" } }
         static_resources { consumers { name: "a" identities { api_key_sha256:
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" } } })");
  const std::string body = Get("/config_dump").body;
  EXPECT_THAT(body, HasSubstr("\"0123456700000000"));
  EXPECT_THAT(body, HasSubstr("\"https://keys/set\""));
  EXPECT_THAT(body, testing::Not(HasSubstr("89abcdef")));
  EXPECT_THAT(body, testing::Not(HasSubstr("hush")));
}

TEST_F(PagesTest, MetricsInBothForms) {
  Sample histogram;
  histogram.buckets = {{0.1, 1}, {std::numeric_limits<double>::infinity(), 3}};
  histogram.count = 3;
  histogram.sum = 4.5;
  metrics_ = {{"pinion_calls_total",
               "Calls.",
               MetricType::kCounter,
               {{{{"code", "OK"}}, 12345678901}, {{{"code", "a\"b"}}, 1}}},
              {"pinion_connections", "Open now.", MetricType::kGauge, {{{}, 0.25}}},
              {"pinion_call_seconds", "Duration.", MetricType::kHistogram, {histogram}}};
  EXPECT_EQ(Get("/metrics").body,
            "# HELP pinion_calls_total Calls.\n"
            "# TYPE pinion_calls_total counter\n"
            "pinion_calls_total{code=\"OK\"} 12345678901\n"
            "pinion_calls_total{code=\"a\\\"b\"} 1\n"
            "# HELP pinion_connections Open now.\n"
            "# TYPE pinion_connections gauge\n"
            "pinion_connections 0.25\n"
            "# HELP pinion_call_seconds Duration.\n"
            "# TYPE pinion_call_seconds histogram\n"
            "pinion_call_seconds_count 3\n"
            "pinion_call_seconds_sum 4.5\n"
            "pinion_call_seconds_bucket{le=\"0.1\"} 1\n"
            "pinion_call_seconds_bucket{le=\"+Inf\"} 3\n");
  EXPECT_EQ(Get("/stats/prometheus").body, Get("/metrics").body);
  EXPECT_THAT(Get("/metrics").content_type, HasSubstr("version=0.0.4"));
  EXPECT_EQ(Get("/stats").body,
            "pinion_call_seconds: count 3, sum 4.5\n"
            "pinion_calls_total{code=OK}: 12345678901\n"
            "pinion_calls_total{code=a\"b}: 1\n"
            "pinion_connections: 0.25\n");
  EXPECT_EQ(Get("/stats", "connections").body, "pinion_connections: 0.25\n");
  EXPECT_EQ(Get("/stats", "nothing").body, "");
}

// What a registry alone shows.
class RegistryPagesTest : public testing::Test {
 protected:
  Page Get(std::string_view path) { return pages_.Answer({"GET", path, "", ""}); }

  RegistryStatus registry_{.id = "5b0c",
                           .store = "sqlite r.db",
                           .revision = 41,
                           .watchers = 2,
                           .problem = "",
                           .warning = ""};
  Pages pages_{{.bootstrap = [] { return config::v1::Bootstrap(); },
                .metrics = [] { return std::vector<MetricFamily>(); },
                .registry = [this] { return registry_; }}};
};

TEST_F(RegistryPagesTest, IsReadyWhileItsStoreAnswers) {
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body,
            "ready\nregistry id: 5b0c\nstore: sqlite r.db\nstore revision: 41\nwatchers: 2\n");
  registry_.warning = "no changes are taken: the disk is full";
  EXPECT_EQ(Get("/readyz").status, 200) << "whoever reads is served";
  EXPECT_THAT(Get("/readyz").body,
              HasSubstr("\nwarning: no changes are taken: the disk is full\n"));
  registry_.problem = "etcd is away";
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("not ready: the store does not answer\n"));
  EXPECT_THAT(Get("/readyz").body, HasSubstr("\nproblem: etcd is away\n"));
  EXPECT_EQ(Get("/healthz").status, 200) << "a restart would not help";
}

TEST_F(RegistryPagesTest, HasNoRouteTableAndNobodyToAccept) {
  google::protobuf::Struct dump;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(Get("/config_dump").body, &dump).ok());
  EXPECT_FALSE(dump.fields().contains("route_table"));
  EXPECT_EQ(dump.fields().at("registry").struct_value().fields().at("id").string_value(), "5b0c");
  const Page accepted = pages_.Answer({"POST", "/accept", "", "5b0c"});
  EXPECT_EQ(accepted.status, 409);
  EXPECT_EQ(accepted.body, "there is no gateway in this process\n");
}

TEST(BothPlanes, TheGatewayDecidesAndTheRegistryIsToldOf) {
  TableStatus table{.in_place = true, .revision = 9, .source = "registry"};
  RegistryStatus registry{.id = "5b0c", .problem = "the disk is gone"};
  const Pages pages({.bootstrap = [] { return config::v1::Bootstrap(); },
                     .table = [&table] { return table; },
                     .metrics = [] { return std::vector<MetricFamily>(); },
                     .draining = [] { return false; },
                     .accept = [](const std::string&) { return absl::OkStatus(); },
                     .registry = [&registry] { return registry; }});
  const Page ready = pages.Answer({"GET", "/readyz", "", ""});
  EXPECT_EQ(ready.status, 200) << "calls go on without the registry";
  EXPECT_THAT(ready.body, HasSubstr("ready\nrevision: 9\n"));
  EXPECT_THAT(ready.body, HasSubstr("problem: the disk is gone\n"));
  table.in_place = false;
  EXPECT_EQ(pages.Answer({"GET", "/readyz", "", ""}).status, 503);
}

}  // namespace
}  // namespace pinion::admin
