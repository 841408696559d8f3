// Addresses and networks; what an address may be is in base/address_test.cc, what a file shows of
// it in testdata/bad.
#include "config/address.h"

#include <gtest/gtest.h>

namespace pinion::config {
namespace {

using routing::v1::Address;

Address Socket(const std::string& host, uint32_t port) {
  Address address;
  address.mutable_socket_address()->set_address(host);
  address.mutable_socket_address()->set_port_value(port);
  return address;
}

Address Pipe(const std::string& path) {
  Address address;
  address.mutable_pipe()->set_path(path);
  return address;
}

TEST(Address, ToString) {
  EXPECT_EQ(ToString(Socket("127.0.0.1", 80)), "127.0.0.1:80");
  EXPECT_EQ(ToString(Socket("::1", 80)), "[::1]:80");
  EXPECT_EQ(ToString(Socket("a.example", 80)), "a.example:80");
  EXPECT_EQ(ToString(Pipe("/run/a")), "unix:/run/a");
}

TEST(Address, NamesTheFieldThatIsWrong) {
  const struct {
    Address address;
    std::string field;
  } kCases[] = {{Address(), ""},
                {Socket("", 80), ".socket_address.address"},
                {Socket("::1", 0), ".socket_address.port_value"},
                {Pipe(""), ".pipe.path"}};
  for (const auto& c : kCases) {
    std::string field = "stale";
    EXPECT_FALSE(CheckAddress(c.address, AddressUse::kConnect, field).ok());
    EXPECT_EQ(field, c.field);
  }
}

TEST(Address, Collide) {
  EXPECT_TRUE(Collide(Socket("127.0.0.1", 1), Socket("127.0.0.1", 1)));
  EXPECT_TRUE(Collide(Socket("::1", 1), Socket("0:0::1", 1)));
  EXPECT_TRUE(Collide(Socket("0.0.0.0", 1), Socket("10.0.0.1", 1)));
  EXPECT_TRUE(Collide(Pipe("a"), Pipe("a")));
  EXPECT_FALSE(Collide(Pipe("a"), Pipe("b")));
  EXPECT_FALSE(Collide(Pipe("a"), Socket("127.0.0.1", 1)));
  EXPECT_FALSE(Collide(Socket("127.0.0.1", 1), Socket("127.0.0.1", 2)));
  EXPECT_FALSE(Collide(Socket("127.0.0.1", 0), Socket("127.0.0.1", 0)));
  EXPECT_FALSE(Collide(Socket("127.0.0.1", 1), Socket("::1", 1)));
}

TEST(Cidr, Accepts) {
  for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "10.1.2.2/31", "::/0",
                           "fd00::/8", "2001:db8::1/128"}) {
    EXPECT_TRUE(CheckCidr(text).ok()) << CheckCidr(text);
  }
}

}  // namespace
}  // namespace pinion::config
