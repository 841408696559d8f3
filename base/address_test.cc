#include "base/address.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pinion {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr AddressUse kUses[] = {AddressUse::kListen, AddressUse::kConnect, AddressUse::kEither,
                                AddressUse::kRegister};

TEST(Address, UseDecidesWhatItMayHold) {
  const struct {
    std::string text;
    bool good[4];  // as kUses
  } kCases[] = {
      {"127.0.0.1:80", {true, true, true, true}},
      {"[::1]:80", {true, true, true, true}},
      {"[::ffff:10.0.0.1]:80", {true, true, true, true}},
      {"[2001:DB8::1]:65535", {true, true, true, true}},
      {"127.0.0.1:0", {true, false, true, false}},
      {"[::]:0", {true, false, true, false}},
      {"a.example:80", {false, true, true, true}},
      {"a.example.:80", {false, true, true, true}},
      {"localhost:80", {false, true, true, true}},
      {"_grpc.a-b.example:1", {false, true, true, true}},
      {"xn--bcher-kva.example:1", {false, true, true, true}},
      {"7.example:1", {false, true, true, true}},
      {"a.example:0", {false, false, true, false}},
      {"unix:/run/a.sock", {true, true, true, true}},
      {"unix:a.sock", {true, true, true, false}},
      {"unix:a b:80", {true, true, true, false}},
  };
  for (const auto& c : kCases) {
    for (int i = 0; i < 4; ++i) {
      const auto parts = ParseAddress(c.text, kUses[i]);
      EXPECT_EQ(parts.ok(), c.good[i]) << c.text << " " << i << " " << parts.status();
      if (parts.ok()) {
        EXPECT_EQ(AddressText(*parts), c.text);
      }
    }
  }
}

TEST(Address, RefusedForEveryUse) {
  const std::string long_label = std::string(64, 'a') + ".example:80";
  const struct {
    std::string text, wrong;
  } kCases[] = {
      {"", "write HOST:PORT, [IPV6]:PORT or unix:PATH"},
      {"nowhere", "write HOST:PORT"},
      {":80", "the host is missing"},
      {"127.0.0.1", "write HOST:PORT"},
      {"127.0.0.1:", "write HOST:PORT"},
      {"127.0.0.1:http", "write HOST:PORT"},
      {"127.0.0.1:-1", "write HOST:PORT"},
      {"127.0.0.1:+80", "write HOST:PORT"},
      {"127.0.0.1: 80", "write HOST:PORT"},
      {"127.0.0.1:80 ", "write HOST:PORT"},
      {"127.0.0.1:080", "write HOST:PORT"},
      {"127.0.0.1:00", "write HOST:PORT"},
      {"127.0.0.1:٨٠", "write HOST:PORT"},
      {"127.0.0.1:65536", "port 65536 is above 65535"},
      {"127.0.0.1:4294967296", "port 4294967296 is above 65535"},
      {"127.0.0.1:99999999999999999999", "is above 65535"},
      {"127.0.0.256:80", "is n"},
      {"127.0.0.01:80", "is n"},
      {"127.0.0:80", "is n"},
      {"127.0.0.1.:80", "is n"},
      {"2130706433:80", "is n"},
      {" 127.0.0.1:80", "is n"},
      {"::1:80", "write [IPV6]:PORT"},
      {"[::1]", "write HOST:PORT"},
      {"[::1:80", "write [IPV6]:PORT"},
      {"::1]:80", "write [IPV6]:PORT"},
      {"[::1%lo]:80", "zone"},
      {"[fe80::1%25eth0]:80", "zone"},
      {"[[::1]]:80", "without brackets"},
      {"[::g]:80", "is n"},
      {"[]:80", "only an IPv6 address stands in brackets"},
      {"[127.0.0.1]:80", "only an IPv6 address stands in brackets"},
      {"a..example:80", "is n"},
      {".example:80", "is n"},
      {".:80", "is n"},
      {"a.example..:80", "is n"},
      {"-a.example:80", "is n"},
      {"a-.example:80", "is n"},
      {"a b:80", "is n"},
      {"a!b:80", "is n"},
      {"*:80", "is n"},
      {"http://a.example:80", "write [IPV6]:PORT"},
      {"a.example/x:80", "is n"},
      {long_label, "is n"},
      {std::string("127.0.0.1\0:80", 13), "is n"},
      {"/run/a.sock", "write unix:/run/a.sock"},
      {"unix:", "the path of the Unix socket is missing"},
      {"unix:/" + std::string(107, 'a'), "at most 107 bytes"},
      {std::string("unix:/a\0b", 9), "NUL"},
  };
  for (const auto& c : kCases) {
    for (const AddressUse use : kUses) {
      const auto parts = ParseAddress(c.text, use);
      ASSERT_EQ(parts.status().code(), absl::StatusCode::kInvalidArgument) << c.text;
      const std::string message(parts.status().message());
      EXPECT_THAT(message, StartsWith("\"" + c.text + "\" is no address: "));
      EXPECT_THAT(message, HasSubstr(c.wrong)) << c.text;
    }
  }
}

// What only a file or a message can hold, where host and port stand apart.
TEST(Address, PartsSayWhichOneIsWrong) {
  const struct {
    AddressParts parts;
    AddressPart part;
    std::string wrong;
  } kCases[] = {
      {{.host = "", .port = 80}, AddressPart::kHost, "the host is missing"},
      {{.host = "[::1]", .port = 80}, AddressPart::kHost, "without brackets"},
      {{.host = "127.0.0.1:80", .port = 80}, AddressPart::kHost, "belongs into port_value"},
      {{.host = "a.example:80", .port = 80}, AddressPart::kHost, "belongs into port_value"},
      {{.host = "/run/a", .port = 80}, AddressPart::kHost, "`pipe: {path: …}`"},
      {{.host = "unix:/run/a", .port = 80}, AddressPart::kHost, "`pipe: {path: …}`"},
      {{.host = "bücher.example", .port = 80}, AddressPart::kHost, "xn--"},
      {{.host = "::1", .port = 0}, AddressPart::kPort, "give one from 1 to 65535"},
      {{.host = "::1", .port = 65536}, AddressPart::kPort, "above 65535"},
      {{.path = ""}, AddressPart::kPath, "missing"},
      {{.path = "a.sock"}, AddressPart::kPath, "absolute"},
  };
  for (const auto& c : kCases) {
    auto part = AddressPart::kHost;
    const absl::Status status = CheckAddress(c.parts, AddressUse::kRegister, &part);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.wrong));
    EXPECT_EQ(part, c.part) << status;
  }
  EXPECT_THAT(
      std::string(CheckAddress({.host = "localhost", .port = 80}, AddressUse::kListen).message()),
      HasSubstr("not an IP address, which listening needs"));
}

TEST(Address, GrpcReadsAPathAsPartOfAUri) {
  const struct {
    std::string address, target;
  } kCases[] = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"[::1]:80", "[::1]:80"},
      {"a.example:80", "a.example:80"},
      {"unix:/run/pinion-1.0/a_b~.sock", "unix:/run/pinion-1.0/a_b~.sock"},
      {"unix:a.sock", "unix:a.sock"},
      {"unix:/my run/50%41?#[x]:é", "unix:/my%20run/50%2541%3f%23%5bx%5d%3a%c3%a9"},
  };
  for (const auto& c : kCases) EXPECT_EQ(GrpcTarget(c.address), c.target);
}

TEST(Address, LocalIsWhatOnlyThisMachineReaches) {
  for (const char* text : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "[0:0::1]:1", "localhost:1",
                           "LocalHost:1", "unix:a"}) {
    EXPECT_TRUE(IsLocalAddress(*ParseAddress(text, AddressUse::kEither))) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::2]:1", "localhost.example:1",
                           "127.0.0.1.example:1", "[::ffff:127.0.0.1]:1"}) {
    EXPECT_FALSE(IsLocalAddress(*ParseAddress(text, AddressUse::kEither))) << text;
  }
}

TEST(Address, DnsNamesAreBounded) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(IsDnsName(longest));
  EXPECT_TRUE(IsDnsName(longest + "."));
  EXPECT_FALSE(IsDnsName(longest + "a"));
  EXPECT_FALSE(IsDnsName(label + "a"));
}

TEST(Address, CertificatesNameHosts) {
  for (const char* good : {"a.example", "localhost", "xn--bcher-kva.example", "10.0.0.1", "::1"}) {
    EXPECT_TRUE(CheckTlsName(good).ok()) << good;
  }
  const struct {
    std::string name, quoted;
  } kCases[] = {
      {"", "\"\""},
      {std::string("a\0.example", 10), "\"a\\x00.example\""},
      {".example", "\".example\""},
      {"a.example.", "\"a.example.\""},
      {"*.example", "\"*.example\""},
      {"10.0.1", "\"10.0.1\""},
      {"[::1]", "\"[::1]\""},
      {"a.example:443", "\"a.example:443\""},
      {"a b\n", "\"a b\\n\""},
  };
  for (const auto& c : kCases) {
    const absl::Status status = CheckTlsName(c.name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.quoted;
    EXPECT_THAT(std::string(status.message()), StartsWith(c.quoted + " is no name"));
  }
}

}  // namespace
}  // namespace pinion
