// Sockets on the real loop, over loopback: what the simulation's streams claim to imitate.
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>

#include "gateway/net/epoll_loop.h"
#include "gateway/net/listener.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_directory.h"

namespace pinion::net {
namespace {

// Reads everything that comes; says what happened last.
struct Reader final : ByteStream::Observer {
  ByteStream* stream = nullptr;
  std::string received;
  bool eof = false;
  bool failed = false;
  bool writable = false;
  std::function<void()> changed = [] {};

  void OnReadable() override {
    uint8_t buffer[1000];
    while (true) {
      const IoResult result = stream->Read(absl::MakeSpan(buffer));
      if (result.state == IoState::kOk) {
        received.append(reinterpret_cast<char*>(buffer), result.bytes);
        if (result.bytes < sizeof(buffer)) break;
        continue;
      }
      eof = eof || result.state == IoState::kEof;
      failed = failed || result.state == IoState::kFailed;
      break;
    }
    changed();
  }
  void OnWritable() override {
    writable = true;
    changed();
  }
};

IoResult WriteText(ByteStream& stream, const std::string& text) {
  const absl::Span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return stream.Write({piece});
}

class SocketTest : public ::testing::Test {
 protected:
  // A listener, and a client stream connected to it.
  void ConnectPair(const Endpoint& where) {
    absl::StatusOr<BoundSockets> bound = BoundSockets::Bind(where, 1);
    ASSERT_TRUE(bound.ok()) << bound.status();
    listener_ =
        std::make_unique<Listener>(*loop_, bound->Take(), [this](Fd socket, std::string peer) {
          server_ = loop_->Adopt(socket.Release(), std::move(peer));
          server_reader_.stream = server_.get();
          server_->SetObserver(&server_reader_);
        });
    Connect(bound->endpoint());
  }

  void Connect(const Endpoint& where) {
    client_ = loop_->Connect(where);
    client_reader_.stream = client_.get();
    client_->SetObserver(&client_reader_);
  }

  void RunUntil(const std::function<bool()>& done) {
    const auto check = [this, &done] {
      if (done()) loop_->Stop();
    };
    client_reader_.changed = server_reader_.changed = check;
    Timer timeout(
        loop_->timers(), [](void* loop) { static_cast<EpollLoop*>(loop)->Stop(); }, loop_.get());
    timeout.Arm(loop_->now() + absl::Seconds(20));
    loop_->Run();
    EXPECT_TRUE(done());
    client_reader_.changed = server_reader_.changed = [] {};
  }

  std::unique_ptr<EpollLoop> loop_ = *EpollLoop::Create(SystemClock());
  std::unique_ptr<Listener> listener_;
  Reader server_reader_, client_reader_;
  std::unique_ptr<ByteStream> server_, client_;
};

TEST_F(SocketTest, BytesAndTheEndArrive) {
  ConnectPair({.host = "127.0.0.1"});
  RunUntil([this] { return client_reader_.writable && server_ != nullptr; });
  EXPECT_EQ(WriteText(*client_, "hello").bytes, 5u);
  client_->FinishSending();
  RunUntil([this] { return server_reader_.eof; });
  EXPECT_EQ(server_reader_.received, "hello");
  EXPECT_EQ(WriteText(*server_, "bye").bytes, 3u);
  server_.reset();
  RunUntil([this] { return client_reader_.eof; });
  EXPECT_EQ(client_reader_.received, "bye");
}

TEST_F(SocketTest, WorksOverUnixSocketsAndTakesOverAStaleOne) {
  const testing::TempDirectory directory;
  const std::string path = directory.Path("socket");
  for (int round = 0; round < 2; ++round) {
    // The first round's socket file is left behind, as by a killed process.
    ConnectPair({.path = path});
    RunUntil([this] { return client_reader_.writable && server_ != nullptr; });
    EXPECT_EQ(WriteText(*client_, "x").bytes, 1u);
    RunUntil([this] { return server_reader_.received == "x"; });
    EXPECT_FALSE(BoundSockets::Bind({.path = path}, 1).ok()) << "in use";
    server_.reset();
    client_.reset();
    listener_.reset();
    server_reader_ = client_reader_ = Reader();
  }
}

TEST_F(SocketTest, ASecondProcessCannotShareAPortUnseen) {
  absl::StatusOr<BoundSockets> first = BoundSockets::Bind({.host = "127.0.0.1"}, 2);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = BoundSockets::Bind(first->endpoint(), 2).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.message().find(ToString(first->endpoint())), absl::string_view::npos) << second;
}

TEST_F(SocketTest, RefusedConnectionsSayWhy) {
  Endpoint nobody;
  {
    absl::StatusOr<BoundSockets> bound = BoundSockets::Bind({.host = "127.0.0.1"}, 1);
    nobody = bound->endpoint();
  }
  Connect(nobody);
  RunUntil([this] { return client_reader_.failed; });
  EXPECT_EQ(client_->error(), "Connection refused");
}

// Posts when it ends, as what closes a stream may.
struct PostsAtItsEnd {
  explicit PostsAtItsEnd(EpollLoop& its_loop) : loop(its_loop) {}
  ~PostsAtItsEnd() {
    loop.Post([] {});
  }
  EpollLoop& loop;
};

TEST_F(SocketTest, AClosedLoopDropsWhatIsPosted) {
  bool ran = false;
  const auto post = [this, &ran] {
    const auto owned = std::make_shared<PostsAtItsEnd>(*loop_);
    loop_->Post([owned, &ran] { ran = true; });
    return std::weak_ptr<PostsAtItsEnd>(owned);
  };
  const std::weak_ptr<PostsAtItsEnd> before = post();
  EXPECT_FALSE(before.expired());
  loop_->Close();
  EXPECT_TRUE(before.expired());
  EXPECT_TRUE(post().expired());
  EXPECT_FALSE(ran);
}

TEST_F(SocketTest, NamesAreResolvedWithoutBlocking) {
  absl::StatusOr<BoundSockets> bound = BoundSockets::Bind({.host = "127.0.0.1"}, 1);
  ASSERT_TRUE(bound.ok());
  Listener listener(*loop_, bound->Take(), [](Fd, std::string) {});
  Connect({.host = "localhost", .port = bound->endpoint().port});
  RunUntil([this] { return client_reader_.writable; });
  EXPECT_EQ(client_->peer(), "localhost:" + std::to_string(bound->endpoint().port));
}

}  // namespace
}  // namespace pinion::net
