#include "gateway/access_log/formatter.h"

#include <algorithm>
#include <string>

#include "gateway/observability_limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion::access_log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Write(const Record& record, Format format = Format::kJson) {
  std::string line(limits::kLogLineBytesMax, '\0');
  line.resize(Formatter(format).Write(record, line.data()));
  return line;
}

// The text of a JSON member, as the bytes that its code points below 256 stand for. Fails on
// anything but the escapes that the formatter uses.
std::string Member(const std::string& line, const std::string& name) {
  std::string value;
  size_t at = line.find("\"" + name + "\":\"");
  if (at == line.npos) return "(none)";
  for (at += name.size() + 4; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] != '\\') {
      value.push_back(line[at]);
    } else if (line.compare(at, 4, "\\u00") == 0) {
      value.push_back(static_cast<char>(std::stoi(line.substr(at + 4, 2), nullptr, 16)));
      at += 5;
    } else {
      EXPECT_TRUE(line[++at] == '"' || line[at] == '\\') << line;
      value.push_back(line[at]);
    }
  }
  return value;
}

// The value of a text line, as a reader of logfmt finds it: words between spaces outside of quotes.
std::string Value(const std::string& line, const std::string& name) {
  bool quoted = false;
  std::string word;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\' && line[at + 1] == 'x') {
      word.push_back(static_cast<char>(std::stoi(line.substr(at + 2, 2), nullptr, 16)));
      at += 3;
    } else if (quoted && c == '\\') {
      word.push_back(line[++at]);
    } else if (!quoted && (c == ' ' || c == '\n')) {
      if (word.rfind(name + "=", 0) == 0) return word.substr(name.size() + 1);
      word.clear();
    } else {
      word.push_back(c);
    }
  }
  return "(none)";
}

Record Full() {
  Record record;
  record.start = absl::FromUnixMillis(1'800'000'000'007);
  record.listener = "ingress";
  record.peer = "127.0.0.1:4711";
  record.consumer = "billing";
  record.service = "greeter";
  record.version = "1.2.3";
  record.method = "/acme.Greeter/SayHello";
  record.source = "service-pin";
  record.asked = "^1";
  record.instance = "u1";
  record.upstream = "10.0.0.2:9001";
  record.grpc_status = 0;
  record.request_bytes = 105;
  record.response_bytes = 18446744073709551615u;
  record.duration = absl::Microseconds(12'345);
  record.upstream_wait = absl::Microseconds(7);
  record.first_byte = absl::Milliseconds(12);
  record.attempts = 1;
  record.trace_id = "0af7651916cd43dd8448eb211c80319c";
  return record;
}

TEST(Formatter, WritesJson) {
  EXPECT_EQ(
      Write(Full()),
      R"({"time":"2027-01-15T08:00:00.007Z","listener":"ingress","peer":"127.0.0.1:4711",)"
      R"("consumer":"billing","service":"greeter","version":"1.2.3",)"
      R"("method":"/acme.Greeter/SayHello","source":"service-pin","asked":"^1","instance":"u1",)"
      R"("upstream":"10.0.0.2:9001","grpc_status":0,"request_bytes":105,)"
      R"("response_bytes":18446744073709551615,"duration_ms":12.345,"wait_ms":0.007,)"
      R"("first_byte_ms":12.000,"attempts":1,"trace_id":"0af7651916cd43dd8448eb211c80319c"})"
      "\n");
}

TEST(Formatter, WritesText) {
  Record record = Full();
  record.asked = ">=1 <2";
  EXPECT_EQ(Write(record, Format::kText),
            "time=2027-01-15T08:00:00.007Z listener=ingress peer=127.0.0.1:4711 consumer=billing "
            "service=greeter version=1.2.3 method=/acme.Greeter/SayHello source=service-pin "
            R"(asked=">=1 <2" instance=u1 upstream=10.0.0.2:9001 grpc_status=0 )"
            "request_bytes=105 response_bytes=18446744073709551615 duration_ms=12.345 "
            "wait_ms=0.007 first_byte_ms=12.000 attempts=1 "
            "trace_id=0af7651916cd43dd8448eb211c80319c\n");
}

TEST(Formatter, LeavesOutWhatThereIsNot) {
  Record record;
  record.start = absl::UnixEpoch();
  EXPECT_EQ(Write(record),
            R"({"time":"1970-01-01T00:00:00.000Z","request_bytes":0,"response_bytes":0,)"
            R"("duration_ms":0.000,"attempts":0})"
            "\n");
}

TEST(Formatter, TellsTimeAcrossSeconds) {
  Formatter formatter(Format::kText);
  const struct {
    int64_t milliseconds;
    const char* time;
  } kCases[] = {{1'800'000'000'999, "time=2027-01-15T08:00:00.999Z"},
                {1'800'000'001'000, "time=2027-01-15T08:00:01.000Z"},
                {1'800'000'000'001, "time=2027-01-15T08:00:00.001Z"},
                {1'709'251'199'500, "time=2024-02-29T23:59:59.500Z"},
                {-1, "time=1970-01-01T00:00:00.000Z"}};
  for (const auto& each : kCases) {
    Record record;
    record.start = absl::FromUnixMillis(each.milliseconds);
    char out[limits::kLogLineBytesMax];
    const std::string line(out, formatter.Write(record, out));
    EXPECT_THAT(line, ::testing::StartsWith(each.time));
  }
}

// Every byte at every place of a word, so that neither the fast nor the slow path misses one.
TEST(Formatter, EscapesEveryByteThatIsNotPlain) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t place = 0; place < 20; ++place) {
      std::string value(20, 'x');
      value[place] = static_cast<char>(byte);
      Record record;
      record.method = value;
      const std::string json = Write(record);
      ASSERT_TRUE(std::all_of(json.begin(), json.end() - 1, [](char c) {
        return c >= 0x20 && c < 0x7f;
      })) << byte;
      ASSERT_EQ(Member(json, "method"), value) << byte << " at " << place;

      const std::string text = Write(record, Format::kText);
      ASSERT_EQ(Value(text, "method"), value) << text;
      ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    }
  }
}

TEST(Formatter, ForgesNoSecondLineAndNoField) {
  Record record = Full();
  record.consumer = "a\",\"grpc_status\":0}\n{\"time\":\"now";
  const std::string json = Write(record);
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
  EXPECT_EQ(Member(json, "consumer"), record.consumer);
  record.consumer = "a grpc_status=0\ntime=now";
  EXPECT_THAT(Write(record, Format::kText),
              HasSubstr(R"( consumer="a grpc_status=0\x0atime=now" service=)"));
  record.consumer = R"(a" grpc_status=0 b="\)";
  EXPECT_THAT(Write(record, Format::kText),
              HasSubstr(R"( consumer="a\" grpc_status=0 b=\"\\" service=)"));
}

TEST(Formatter, BoundsEveryValueAndTheLine) {
  // Plain, and the worst to escape; also such that the cut comes at any place.
  for (const std::string& unit : {std::string("x"), std::string("\0", 1), std::string("\xff"),
                                  std::string("xxxxxxx\""), std::string("12345678\\")}) {
    for (size_t bytes : {size_t{150}, size_t{157}, size_t{160}, size_t{161}, size_t{100'000}}) {
      std::string value;
      while (value.size() < bytes) value += unit;
      Record record;
      for (absl::string_view Record::*field :
           {&Record::listener, &Record::peer, &Record::consumer, &Record::service, &Record::version,
            &Record::method, &Record::asked, &Record::instance, &Record::upstream,
            &Record::message}) {
        record.*field = value;
      }
      const std::string word(100, 'w');
      for (absl::string_view Record::*field : {&Record::source, &Record::error, &Record::reset,
                                               &Record::reset_by, &Record::trace_id}) {
        record.*field = word;
      }
      record.grpc_status = record.http_status = INT32_MAX;
      record.request_bytes = record.response_bytes = UINT64_MAX;
      record.attempts = UINT32_MAX;
      record.duration = record.upstream_wait = record.first_byte = absl::InfiniteDuration();
      for (const Format format : {Format::kJson, Format::kText}) {
        const std::string line = Write(record, format);
        EXPECT_LE(line.size(), limits::kLogLineBytesMax);
        EXPECT_THAT(line, EndsWith("\n"));
      }
      const std::string consumer = Member(Write(record), "consumer");
      if (bytes == 100'000) {
        EXPECT_THAT(consumer, EndsWith("..."));
      }
    }
  }
  Record record;
  record.consumer = "short";
  EXPECT_THAT(Write(record), Not(HasSubstr("...")));
}

}  // namespace
}  // namespace pinion::access_log
