// Real HTTP/1.1 over loopback, on a port that the kernel chooses.
#include "gateway/admin/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace pinion::admin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

routing::v1::Address At(const std::string& host, int port) {
  routing::v1::Address address;
  address.mutable_socket_address()->set_address(host);
  address.mutable_socket_address()->set_port_value(port);
  return address;
}

Sources NoSources() {
  return {[] { return config::v1::Bootstrap(); }, [] { return TableStatus{}; },
          [] { return std::vector<MetricFamily>{}; }, [] { return false; }};
}

// A connection to 127.0.0.1 that gives up after ten seconds, so that a hanging server fails the
// test.
int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

// Everything that the server answers to these bytes until it closes.
std::string Exchange(int port, const std::string& bytes) {
  const int fd = Connect(port);
  EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string answer;
  char chunk[4096];
  for (ssize_t size; (size = recv(fd, chunk, sizeof(chunk), 0)) > 0;) answer.append(chunk, size);
  close(fd);
  return answer;
}

std::string Request(int port, const std::string& method, const std::string& target) {
  return Exchange(port, absl::StrCat(method, " ", target,
                                     " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
}

std::string Body(const std::string& response) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(response, absl::MaxSplits("\r\n\r\n", 1));
  return parts.second;
}

TEST(AdminServer, AnswersOverHttp) {
  Sources sources = NoSources();
  sources.table = [] { return TableStatus{.in_place = true, .revision = 9, .source = "static"}; };
  sources.metrics = [] {
    return std::vector<MetricFamily>{{"a_total", "A.", MetricType::kCounter, {{{}, 3}}},
                                     {"b c", "", MetricType::kGauge, {{{}, 1}}}};
  };
  const auto server = AdminServer::Start(At("127.0.0.1", 0), sources);
  ASSERT_TRUE(server.ok()) << server.status();
  const int port = (*server)->port();
  ASSERT_GT(port, 0);

  const std::string health = Request(port, "GET", "/healthz");
  EXPECT_THAT(health, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(health, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_EQ(Body(health), "ok\n");
  EXPECT_THAT(Request(port, "GET", "/readyz"), HasSubstr("revision: 9\n"));
  EXPECT_THAT(Request(port, "GET", "/metrics"), HasSubstr("\na_total 3\n"));
  EXPECT_THAT(Request(port, "GET", "/"), HasSubstr("text/html"));
  EXPECT_THAT(Request(port, "GET", "/config_dump"), HasSubstr("\"bootstrap\""));
  EXPECT_EQ(Body(Request(port, "GET", "/stats?filter=b%20c")), "b c: 1\n");

  const std::string head = Request(port, "HEAD", "/healthz");
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_EQ(Body(head), "");
  EXPECT_THAT(Request(port, "POST", "/healthz"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Request(port, "POST", "/healthz"), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST(AdminServer, ServesNoFiles) {
  const auto server = AdminServer::Start(At("127.0.0.1", 0), NoSources());
  ASSERT_TRUE(server.ok()) << server.status();
  for (const char* target : {"/README.md", "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                             "//etc/passwd", "/healthz/", "/metrics/../../etc/passwd"}) {
    const std::string response = Request((*server)->port(), "GET", target);
    EXPECT_THAT(response, testing::AnyOf(StartsWith("HTTP/1.1 404 "), StartsWith("HTTP/1.1 400 ")))
        << target;
    EXPECT_THAT(response, testing::Not(HasSubstr("root:"))) << target;
  }
}

TEST(AdminServer, SurvivesGarbage) {
  const auto server = AdminServer::Start(At("127.0.0.1", 0), NoSources());
  ASSERT_TRUE(server.ok()) << server.status();
  const int port = (*server)->port();
  for (const std::string& bytes :
       {std::string("\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("\x16\x03\x01\x00\x05hello\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"),
        absl::StrCat("GET / HTTP/1.1\r\n", std::string(100'000, 'a'), "\r\n\r\n"),
        std::string("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n")}) {
    const int fd = Connect(port);
    (void)send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
  }
  EXPECT_EQ(Body(Request(port, "GET", "/healthz")), "ok\n");
}

TEST(AdminServer, AnswersWhileAnotherClientSaysNothing) {
  const auto server = AdminServer::Start(At("127.0.0.1", 0), NoSources());
  ASSERT_TRUE(server.ok()) << server.status();
  const int silent = Connect((*server)->port());
  EXPECT_EQ(Body(Request((*server)->port(), "GET", "/healthz")), "ok\n");
  close(silent);
}

TEST(AdminServer, AnswersManyClientsAtOnce) {
  std::atomic<int> asked = 0;
  Sources sources = NoSources();
  sources.table = [&asked] {
    ++asked;
    return TableStatus{.in_place = true};
  };
  const auto server = AdminServer::Start(At("127.0.0.1", 0), sources);
  ASSERT_TRUE(server.ok()) << server.status();
  const int port = (*server)->port();
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([port] {
      for (int j = 0; j < 25; ++j) EXPECT_THAT(Request(port, "GET", "/readyz"), HasSubstr("ready"));
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(asked, 100);
}

TEST(AdminServer, PortInUseIsOneClearMessage) {
  const auto first = AdminServer::Start(At("127.0.0.1", 0), NoSources());
  ASSERT_TRUE(first.ok()) << first.status();
  const int port = (*first)->port();
  const auto second = AdminServer::Start(At("127.0.0.1", port), NoSources());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(second.status().message()),
            absl::StrCat("admin cannot listen on 127.0.0.1:", port, ": Address already in use"));
}

TEST(AdminServer, ForeignAddressIsRefused) {
  const auto server = AdminServer::Start(At("192.0.2.1", 0), NoSources());
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(std::string(server.status().message()),
            "admin cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

TEST(AdminServer, IPv6) {
  const auto server = AdminServer::Start(At("::1", 0), NoSources());
  // Some machines have no IPv6.
  if (!server.ok()) GTEST_SKIP() << server.status();
  EXPECT_GT((*server)->port(), 0);
}

TEST(AdminServer, ThePortIsFreeAgainAfterwards) {
  auto first = AdminServer::Start(At("127.0.0.1", 0), NoSources());
  ASSERT_TRUE(first.ok()) << first.status();
  const int port = (*first)->port();
  EXPECT_EQ(Body(Request(port, "GET", "/healthz")), "ok\n");
  *first = nullptr;
  const auto second = AdminServer::Start(At("127.0.0.1", port), NoSources());
  EXPECT_TRUE(second.ok()) << second.status();
}

}  // namespace
}  // namespace pinion::admin
