// Keys that come from files and URLs, change, and cannot be had.
#include "auth/key_source.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "auth/limits.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/temp_directory.h"
#include "tests/testing/tokens.h"

namespace pinion::auth {
namespace {

using testing::TokenIssuer;

class KeySourceTest : public ::testing::Test {
 protected:
  std::unique_ptr<KeySource> Start(IssuerOptions options) {
    options.name = "issuer";
    options.refresh = limits::kJwksRefresh;
    auto source = KeySource::Start(
        {std::move(options)}, clock_,
        [this](const std::string&, const std::string&, const std::atomic<bool>&) {
          ++fetches_;
          return answer_;
        },
        [this](std::shared_ptr<const Issuers> issuers) {
          published_.push_back(std::move(issuers));
        });
    EXPECT_TRUE(source.ok()) << source.status();
    return *std::move(source);
  }

  testing::TempDirectory dir_;
  testing::FakeClock clock_;
  absl::StatusOr<std::string> answer_ = absl::UnavailableError("nobody there");
  int fetches_ = 0;
  std::vector<std::shared_ptr<const Issuers>> published_;
  const TokenIssuer one_{TokenIssuer::Kind::kEs256};
  const TokenIssuer two_{TokenIssuer::Kind::kEs256};
};

TEST_F(KeySourceTest, AFileIsReadAtOnceAndAgainWhenItChanges) {
  auto source = Start({.file = dir_.Write("keys", one_.Pem())});
  const auto first = (*source->current())[0].keys;
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(published_.size(), 1u);
  EXPECT_EQ(source->status().issuers[0].loads, 1u);
  dir_.Write("keys", two_.Jwks());
  source->LookAtAll();
  EXPECT_EQ((*source->current())[0].keys, first) << "not due yet";
  clock_.Advance(limits::kJwtFileLookInterval);
  source->LookAtAll();
  EXPECT_NE((*source->current())[0].keys, first);
  EXPECT_EQ(published_.size(), 2u);
  dir_.Write("keys", "half a k");
  clock_.Advance(limits::kJwtFileLookInterval);
  source->LookAtAll();
  EXPECT_EQ(published_.size(), 2u) << "the good ones stay";
  EXPECT_EQ(source->status().issuers[0].failures, 1u);
}

TEST_F(KeySourceTest, ABadFileIsSaidAtTheStart) {
  const auto bad = KeySource::Start({{.name = "issuer", .file = dir_.Write("keys", "{}")}}, clock_,
                                    nullptr, [](std::shared_ptr<const Issuers>) {});
  EXPECT_TRUE(absl::StrContains(
      std::string(bad.status().message()),
      "the keys of issuer issuer, " + dir_.path() + "/keys: JSON without a list \"keys\""))
      << bad.status();
}

TEST_F(KeySourceTest, AUrlIsFetchedWithPatience) {
  auto source = Start({.url = "https://keys"});
  EXPECT_EQ(fetches_, 0) << "not at the start: it may take long";
  EXPECT_EQ((*source->current())[0].keys, nullptr);
  // Fails: again after 1, 2, 4 s.
  absl::Time next = source->LookAtAll();
  EXPECT_EQ(next - clock_.Monotonic(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  next = source->LookAtAll();
  EXPECT_EQ(next - clock_.Monotonic(), absl::Seconds(2));
  source->LookAtAll();
  EXPECT_EQ(fetches_, 2);
  answer_ = one_.Jwks();
  clock_.Advance(absl::Seconds(2));
  next = source->LookAtAll();
  EXPECT_EQ(next - clock_.Monotonic(), limits::kJwksRefresh);
  EXPECT_NE((*source->current())[0].keys, nullptr);
  // The same text is no news; a failure changes nothing.
  clock_.Advance(limits::kJwksRefresh);
  source->LookAtAll();
  answer_ = absl::UnavailableError("gone");
  clock_.Advance(limits::kJwksRefresh);
  source->LookAtAll();
  EXPECT_EQ(fetches_, 5);
  EXPECT_EQ(published_.size(), 1u);
}

TEST_F(KeySourceTest, AnUnknownKeyMakesItFetchButNotMoreOftenThanAllowed) {
  answer_ = one_.Jwks();
  auto source = Start({.url = "https://keys"});
  source->LookAtAll();
  answer_ = two_.Jwks();
  for (int i = 0; i < 100; ++i) {
    source->OnUnknownKey();
    source->LookAtAll();
  }
  EXPECT_EQ(fetches_, 1);
  clock_.Advance(limits::kJwksRest);
  source->LookAtAll();
  EXPECT_EQ(fetches_, 2);
  EXPECT_EQ(published_.size(), 2u);
}

// Workers may still ask when nobody looks any more.
TEST_F(KeySourceTest, AfterStopNothingIsPublished) {
  answer_ = one_.Jwks();
  auto source = Start({.url = "https://keys"});
  source->RunFromNowOn();
  source->Stop();
  const size_t published = published_.size();
  source->OnUnknownKey();
  source->ReloadSoon();
  source->Stop();
  EXPECT_EQ(published_.size(), published);
}

TEST_F(KeySourceTest, AThreadFetchesAndStops) {
  answer_ = one_.Jwks();
  auto source = Start({.url = "https://keys"});
  source->RunFromNowOn();
  source->ReloadSoon();
  source.reset();
  SUCCEED();
}

// An HTTP server for one request.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([listener = listener_, answer = std::move(answer)] {
      const int connection = accept(listener, nullptr, nullptr);
      char request[4096];
      if (read(connection, request, sizeof(request)) > 0) {
        for (size_t at = 0; at < answer.size();) {
          const ssize_t count =
              send(connection, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
          if (count <= 0) break;
          at += static_cast<size_t>(count);
        }
      }
      close(connection);
    });
  }
  ~OneAnswer() {
    thread_.join();
    close(listener_);
  }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_, "/keys"); }

 private:
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

TEST(FetchByCurl, BringsATextOrSaysWhyNot) {
  const std::atomic<bool> stop{false};
  const auto fetch = [&](const std::string& answer) {
    const OneAnswer server(answer);
    return FetchByCurl(server.url(), "", stop);
  };
  const auto good = fetch("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(*good, "{}");
  EXPECT_EQ(fetch("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").status().message(),
            "HTTP status 404");
  EXPECT_EQ(fetch("HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n")
                .status()
                .message(),
            "HTTP status 302; redirects are not followed, so name the place itself");
  EXPECT_EQ(fetch(absl::StrCat("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
                               std::string(limits::kJwksBytesMax + 1, ' ')))
                .status()
                .message(),
            "more than 1048576 bytes came");
  EXPECT_FALSE(FetchByCurl("https://127.0.0.1:1/", "", stop).ok());
}

// A server that accepts and says nothing holds nobody who has to end.
TEST(FetchByCurl, StopsWhenItIsTold) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::atomic<bool> stop{true};
  const auto fetched =
      FetchByCurl(absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port), "/"), "", stop);
  EXPECT_TRUE(absl::StrContains(std::string(fetched.status().message()), "abort"))
      << fetched.status();
  close(listener);
}

}  // namespace
}  // namespace pinion::auth
