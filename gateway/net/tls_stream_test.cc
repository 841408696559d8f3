// TLS between two TlsStreams on streams that are as unfriendly as the contract allows, and against
// a bare OpenSSL that does what no TlsStream would.
#include "gateway/net/tls_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/clock.h"
#include "gateway/limits.h"
#include "gateway/net/epoll_loop.h"
#include "gateway/net/socket_stream.h"
#include "gateway/net/timer_queue.h"
#include "tests/testing/tls_fixture.h"

namespace pinion::net {
namespace {

// A stream whose edges the test delivers, with bytes that are there already.
class HandStream final : public ByteStream {
 public:
  void SetObserver(Observer* set) override { observer = set; }
  IoResult Read(absl::Span<uint8_t> into) override {
    const size_t count = std::min(into.size(), arrived.size());
    std::copy_n(arrived.begin(), count, into.begin());
    arrived.erase(0, count);
    return count == 0 ? IoResult{IoState::kBlocked} : IoResult{IoState::kOk, count};
  }
  IoResult Write(absl::Span<const absl::Span<const uint8_t>> pieces) override {
    const size_t before = written.size();
    for (const auto& piece : pieces) written.append(piece.begin(), piece.end());
    return {IoState::kOk, written.size() - before};
  }
  void WakeAgain() override { woken = true; }
  void FinishSending() override {}
  std::string error() const override { return ""; }
  const std::string& peer() const override { return peer_; }

  std::string arrived, written;
  Observer* observer = nullptr;
  bool woken = false;

 private:
  const std::string peer_ = "test";
};

struct Unconcerned final : ByteStream::Observer {
  void OnReadable() override {}
  void OnWritable() override {}
};

// As a busy worker finds them: both edges at once, and the writable one comes first.
TEST_F(TlsStreamTest, HandshakesWhoseHelloIsThereAlreadyShareTheTurnToo) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  Unconcerned observer;
  auto made = std::make_unique<HandStream>();
  HandStream& from = *made;
  const auto client = client_->Connect(shared, std::move(made), "server.test", nullptr);
  client->SetObserver(&observer);
  ASSERT_FALSE(from.written.empty());

  std::vector<std::unique_ptr<ByteStream>> servers;
  std::vector<HandStream*> below;
  for (int i = 0; i < 3 * limits::kTlsHandshakesPerTurn; ++i) {
    auto stream = std::make_unique<HandStream>();
    below.push_back(stream.get());
    stream->arrived = from.written;
    servers.push_back(server_->Accept(shared, std::move(stream)));
    servers.back()->SetObserver(&observer);
  }
  loop.Post([&below] {
    for (HandStream* stream : below) stream->observer->OnWritable();
  });
  world.RunFor(absl::Milliseconds(1));
  int answered = 0;
  for (const HandStream* stream : below) {
    answered += stream->written.empty() ? 0 : 1;
    EXPECT_NE(stream->written.empty(), !stream->woken) << "it has its turn later";
  }
  EXPECT_EQ(answered, limits::kTlsHandshakesPerTurn);
}

TEST_F(TlsStreamTest, TheRoundTripIsThatOfTheConnectionBelow) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  LinkPolicy policy;
  policy.to_acceptor.latency_max = policy.to_connector.latency_max = absl::Milliseconds(20);
  MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, policy);
  EXPECT_EQ(server_->Accept(shared, std::move(pair.acceptor))->RoundTrip(), absl::Milliseconds(40));
}

TEST_F(TlsStreamTest, EveryByteAndTheEndArriveOnStreamsThatSplitAndBlock) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    SimWorld world(seed);
    SimLoop loop(world);
    TlsShared shared(loop);
    MemoryStream::Pair pair = MemoryStream::Connected(
        loop, loop, testing::DrawLinkPolicy(world.random(), absl::Seconds(1)));
    const std::string up = Bytes(world.random(), world.random().Below(200000));
    const std::string down = Bytes(world.random(), world.random().Below(200000));
    const size_t piece = 1 + world.random().Below(seed % 2 == 0 ? 40000 : 900);
    Talker from(client_->Connect(shared, std::move(pair.connector), "server.test", nullptr), up,
                piece);
    Talker to(server_->Accept(shared, std::move(pair.acceptor)), down, piece);
    const auto end = world.Run([&] { return from.saw_end && to.saw_end; }, absl::Hours(1));
    EXPECT_EQ(end, SimWorld::End::kDone) << from.error << " / " << to.error;
    EXPECT_TRUE(from.all_sent() && to.all_sent());
    EXPECT_TRUE(to.received == up) << to.received.size() << " of " << up.size();
    EXPECT_TRUE(from.received == down) << from.received.size() << " of " << down.size();
    EXPECT_FALSE(from.failed || to.failed) << from.error << to.error;
  }
}

TEST_F(TlsStreamTest, AConnectionCutAnywhereIsAnErrorAndNeverACleanEnd) {
  int failures_after_data = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    SimWorld world(seed);
    SimLoop loop(world);
    TlsShared shared(loop);
    LinkPolicy policy = testing::DrawLinkPolicy(world.random(), absl::Seconds(1));
    // Within what the server sends: handshake, ticket and data.
    policy.to_connector.cut_at_byte = 1 + world.random().Below(60000);
    policy.to_connector.cut = testing::CutKind::kFin;
    MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, policy);
    const std::string down = Bytes(world.random(), 60000);
    Talker from(client_->Connect(shared, std::move(pair.connector), "server.test", nullptr), "",
                1000);
    Talker to(server_->Accept(shared, std::move(pair.acceptor)), down, 1000);
    world.Run([&] { return from.saw_end || from.failed; }, absl::Hours(1));
    EXPECT_TRUE(from.failed);
    EXPECT_FALSE(from.saw_end);
    EXPECT_NE(from.error, "");
    EXPECT_TRUE(absl::StartsWith(down, from.received));
    if (!from.received.empty()) ++failures_after_data;
  }
  EXPECT_GT(failures_after_data, 5);
}

TEST_F(TlsStreamTest, ClientsWithoutHttp2AreRefusedInTheHandshake) {
  const auto [client_error, server_error] = ConnectBare("");
  EXPECT_EQ(client_error, "tlsv1 alert no application protocol");
  EXPECT_EQ(server_error, "the client does not offer HTTP/2 (h2) by ALPN");
  const auto [client_http1, server_http1] = ConnectBare("\x08http/1.1");
  EXPECT_EQ(client_http1, "tlsv1 alert no application protocol");
  EXPECT_EQ(server_http1, "the client does not offer HTTP/2 (h2) by ALPN");
  EXPECT_EQ(ConnectBare(std::string("\x08http/1.1\x02h2")).second, "");
}

TEST_F(TlsStreamTest, TheFloorIsTls12) {
  EXPECT_EQ(ConnectBare("\x02h2", TLS1_2_VERSION).second, "");
  EXPECT_TRUE(absl::StrContains(ConnectBare("\x02h2", TLS1_1_VERSION).second, "unsupported"));
  server_ = Server({.certificates = {server_files_}, .min_version = TlsVersion::kTls13});
  EXPECT_EQ(ConnectBare("\x02h2").second, "");
  EXPECT_TRUE(absl::StrContains(ConnectBare("\x02h2", TLS1_2_VERSION).second, "unsupported"));
}

TEST_F(TlsStreamTest, WhatIsNotTlsIsRefused) {
  for (const std::string& text :
       std::vector<std::string>{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                                "\x16\x03\x01\xff\xff garbage"}) {
    SimWorld world(1);
    SimLoop loop(world);
    TlsShared shared(loop);
    MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
    Talker to(server_->Accept(shared, std::move(pair.acceptor)), "", 100);
    Talker from(std::move(pair.connector), text, 100);
    world.RunFor(absl::Seconds(10));
    EXPECT_TRUE(to.failed) << text;
    EXPECT_NE(to.error, "") << text;
  }
}

TEST_F(TlsStreamTest, RenegotiationIsRefused) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
  BareClient from(std::move(pair.connector), "\x02h2", TLS1_2_VERSION);
  Talker to(server_->Accept(shared, std::move(pair.acceptor)), "", 100, false);
  world.RunFor(absl::Seconds(1));
  ASSERT_TRUE(from.established());
  SSL_renegotiate(from.ssl());
  SSL_do_handshake(from.ssl());
  from.Flush();
  world.RunFor(absl::Seconds(1));
  // Answered by the warning of RFC 5246 §7.2.2, after which this client gives up.
  EXPECT_FALSE(from.established());
  EXPECT_EQ(from.error, "no renegotiation");
}

TEST_F(TlsStreamTest, AFloodOfKeyUpdatesEndsTheConnection) {
  SimWorld world(1);
  SimLoop loop(world);
  TlsShared shared(loop);
  MemoryStream::Pair pair = MemoryStream::Connected(loop, loop, {});
  BareClient from(std::move(pair.connector), "\x02h2");
  Talker to(server_->Accept(shared, std::move(pair.acceptor)), "", 100, false);
  world.RunFor(absl::Seconds(1));
  ASSERT_TRUE(from.established());
  int sent = 0;
  for (; sent < 100000 && !to.failed; ++sent) {
    SSL_key_update(from.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(from.ssl());
    from.Flush();
    if (sent % 100 == 0) world.RunFor(absl::Milliseconds(10));
    EXPECT_FALSE(to.failed && sent < 100) << "a few are ordinary";
  }
  EXPECT_EQ(to.error, "the peer sends TLS messages without data");
  EXPECT_LT(sent, 5000);
}

// Destroys its stream when that has failed, as transport::Connection does, and stops the loop.
struct Closer final : ByteStream::Observer {
  explicit Closer(EpollLoop& loop) : loop(loop) {}

  void OnReadable() override {
    uint8_t buffer[100];
    if (stream->Read(absl::MakeSpan(buffer)).state != IoState::kFailed) return;
    stream.reset();
    loop.Stop();
  }
  void OnWritable() override {}

  EpollLoop& loop;
  std::unique_ptr<ByteStream> stream;
};

// A socket delivers both edges at once, the writable one first, and is not there any more when
// reading has destroyed it: a handshake that fails must wait for the second.
TEST_F(TlsStreamTest, AHandshakeThatFailsOnAnEdgeOfBothKindsMayDestroyTheStream) {
  const auto loop = *EpollLoop::Create(SystemClock());
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const std::string text = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_EQ(write(ends[0], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  TlsShared shared(*loop);
  Closer closer(*loop);
  closer.stream = server_->Accept(shared, SocketStream::Adopt(*loop, ends[1], "test"));
  closer.stream->SetObserver(&closer);
  Timer timeout(
      loop->timers(), [](void* stopped) { static_cast<EpollLoop*>(stopped)->Stop(); }, loop.get());
  timeout.Arm(loop->now() + absl::Seconds(20));
  loop->Run();
  EXPECT_EQ(closer.stream, nullptr);
  close(ends[0]);
}

}  // namespace
}  // namespace pinion::net
