// What is read from metadata and statuses, pins of a chain, and addresses.
#include <gtest/gtest.h>

#include "details.pb.h"
#include "pinion/client/refusal.h"
#include "src/address.h"
#include "src/chain.h"
#include "src/response.h"

namespace pinion::client {
namespace {

using std::chrono::system_clock;

constexpr char kSunset[] = "Mon, 01 Mar 2027 00:00:00 GMT";

TEST(ReadMetadata, FindsTheNotice) {
  const auto read = [](const Metadata& said) { return ReadMetadata(said, "a.A", kDefaultHeader); };
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(read({{"api-version", "1.0.0"}, {"sunset", kSunset}}),
            (Response{"1.0.0", std::nullopt}));
  EXPECT_EQ(
      read({{"api-version", "1.0.0"},
            {"deprecation", "@1764000000"},
            {"sunset", kSunset},
            {"link", "<https://a.example>; rel=\"next\""},
            {"link", "<https://a.example/v2>; rel=\"successor-version\""}}),
      (Response{"1.0.0", Notice{"a.A", "1.0.0", system_clock::from_time_t(1764000000),
                                system_clock::from_time_t(1803859200), "https://a.example/v2"}}));
  EXPECT_EQ(read({{"api-version", "1.0.0"}, {"deprecation", "yes"}, {"sunset", "soon"}}),
            (Response{"1.0.0", Notice{"a.A", "1.0.0", std::nullopt, std::nullopt, ""}}));
}

grpc::Status Refused(const std::string& domain) {
  details::ErrorInfo info;
  info.set_reason("VERSION_NOT_FOUND");
  info.set_domain(domain);
  info.mutable_metadata()->insert(
      {{"service", "people"}, {"asked", "^3"}, {"available", "2.0.0, 1.0.0"}, {"more", "x"}});
  details::Help help;
  help.add_links()->set_url("https://a.example/help");
  details::Status status;
  google::protobuf::Any& first = *status.add_details();
  first.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  first.set_value(info.SerializeAsString());
  google::protobuf::Any& second = *status.add_details();
  second.set_type_url("type.googleapis.com/google.rpc.Help");
  second.set_value(help.SerializeAsString());
  return {grpc::StatusCode::UNIMPLEMENTED, "no such version", status.SerializeAsString()};
}

TEST(ReadRefusal, FindsItsParts) {
  const auto refusal = ReadRefusal(Refused("pinion"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "VERSION_NOT_FOUND");
  EXPECT_EQ(refusal->service, "people");
  EXPECT_EQ(refusal->asked, "^3");
  EXPECT_EQ(refusal->available, (std::vector<std::string>{"2.0.0", "1.0.0"}));
  EXPECT_EQ(refusal->help, "https://a.example/help");
  EXPECT_EQ(refusal->variables.at("more"), "x");
}

TEST(ReadRefusal, TakesNothingElseForOne) {
  EXPECT_FALSE(ReadRefusal(grpc::Status::OK));
  EXPECT_FALSE(ReadRefusal({grpc::StatusCode::NOT_FOUND, "x"}));
  EXPECT_FALSE(ReadRefusal({grpc::StatusCode::NOT_FOUND, "x", "\xff"}));
  EXPECT_FALSE(ReadRefusal(Refused("another.example")));
}

TEST(ChainPins, ThereAndBack) {
  const std::string text = "a.A=>=1 <2 || 3, b.B=@stable";
  ChainPins pins;
  EXPECT_EQ(ParseChainPins(text, pins), "");
  EXPECT_EQ(pins, (ChainPins{{"a.A", ">=1 <2 || 3"}, {"b.B", "@stable"}}));
  EXPECT_EQ(FormatChainPins(pins), text);
  for (const std::string& malformed :
       {std::string(), std::string("a.A"), std::string("a.A="), std::string("=^1"),
        std::string("a.A=^1,"), std::string(4097, 'x')}) {
    EXPECT_NE(ParseChainPins(malformed, pins), "") << malformed;
  }
}

TEST(ParseAddress, OnlyWhatCanBeCalled) {
  routing::v1::Address address;
  EXPECT_EQ(ParseAddress("[::1]:1", address), "");
  EXPECT_EQ(address.socket_address().address(), "::1");
  EXPECT_EQ(ParseAddress("people.corp:443", address), "");
  EXPECT_EQ(address.socket_address().port_value(), 443);
  EXPECT_EQ(ParseAddress("unix:/run/people", address), "");
  EXPECT_EQ(address.pipe().path(), "/run/people");
  for (const char* bad : {"", "host", ":50051", "0.0.0.0:50051", "[::]:50051", "host:http"}) {
    EXPECT_NE(ParseAddress(bad, address), "") << bad;
  }
}

}  // namespace
}  // namespace pinion::client
