// Addresses and networks; what CheckAddress and CheckCidr refuse is in testdata/bad.
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

TEST(Address, UseDecidesWhatItMayHold) {
  struct Case {
    Address address;
    bool listen, connect, either;
  };
  for (const Case& c :
       {Case{Socket("::1", 80), true, true, true}, Case{Socket("::1", 0), true, false, true},
        Case{Socket("a.example", 80), false, true, true},
        Case{Socket("a.example", 0), false, false, true}, Case{Pipe("a"), true, true, true},
        Case{Pipe(""), false, false, false}, Case{Address(), false, false, false}}) {
    std::string field;
    EXPECT_EQ(CheckAddress(c.address, Use::kListen, field).ok(), c.listen) << ToString(c.address);
    EXPECT_EQ(CheckAddress(c.address, Use::kConnect, field).ok(), c.connect) << ToString(c.address);
    EXPECT_EQ(CheckAddress(c.address, Use::kEither, field).ok(), c.either) << ToString(c.address);
  }
}

TEST(Address, IsLocal) {
  for (const Address& address : {Socket("127.0.0.1", 1), Socket("127.255.0.9", 1), Socket("::1", 1),
                                 Socket("localhost", 1), Pipe("a")}) {
    EXPECT_TRUE(IsLocal(address)) << ToString(address);
  }
  for (const Address& address :
       {Socket("0.0.0.0", 1), Socket("::", 1), Socket("10.0.0.1", 1), Socket("::2", 1),
        Socket("localhost.example", 1), Socket("::ffff:127.0.0.1", 1)}) {
    EXPECT_FALSE(IsLocal(address)) << ToString(address);
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

TEST(DnsName, Shape) {
  for (const char* text : {"a", "a.example", "a.example.", "_grpc.a-b.example", "7.example"}) {
    EXPECT_TRUE(IsDnsName(text)) << text;
  }
  for (const std::string& text :
       std::vector<std::string>{"", ".", "a..b", "-a", "a-", "a b", "ä", std::string(64, 'a')}) {
    EXPECT_FALSE(IsDnsName(text)) << text;
  }
}

}  // namespace
}  // namespace pinion::config
