#include "tests/testing/memory_stream.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace pinion::testing {
namespace {

using net::IoResult;
using net::IoState;

// Writes `to_send` and reads everything, strictly by the contract: only after an edge, and until
// the stream says that it would block.
class Talker : public net::ByteStream::Observer {
 public:
  Talker(std::unique_ptr<MemoryStream> stream, std::string to_send, size_t read_bytes)
      : stream_(std::move(stream)), to_send_(std::move(to_send)), buffer_(read_bytes) {
    stream_->SetObserver(this);
    Send();
  }

  void OnReadable() override {
    while (true) {
      const IoResult result = stream_->Read(absl::MakeSpan(buffer_));
      if (result.state != IoState::kOk) {
        if (result.state == IoState::kEof) saw_end = true;
        if (result.state == IoState::kFailed) failed = true;
        return;
      }
      received.append(buffer_.begin(), buffer_.begin() + result.bytes);
      if (result.bytes < buffer_.size()) return;
    }
  }

  void OnWritable() override { Send(); }

  void Close() { stream_.reset(); }
  MemoryStream& stream() { return *stream_; }

  std::string received;
  bool saw_end = false;
  bool failed = false;

 private:
  void Send() {
    while (sent_ < to_send_.size()) {
      // In two pieces, as a slab buffer would be written.
      const auto* data = reinterpret_cast<const uint8_t*>(to_send_.data());
      const size_t middle = sent_ + (to_send_.size() - sent_) / 2;
      const absl::Span<const uint8_t> pieces[] = {{data + sent_, middle - sent_},
                                                  {data + middle, to_send_.size() - middle}};
      const size_t offered = to_send_.size() - sent_;
      const IoResult result = stream_->Write(pieces);
      if (result.state == IoState::kFailed) failed = true;
      if (result.state != IoState::kOk) return;
      sent_ += result.bytes;
      if (result.bytes < offered) return;
    }
    stream_->FinishSending();
  }

  std::unique_ptr<MemoryStream> stream_;
  const std::string to_send_;
  size_t sent_ = 0;
  std::vector<uint8_t> buffer_;
};

std::string Bytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

TEST(MemoryStreamTest, DeliversEveryByteAndTheEndUnderEveryPolicyWithoutCuts) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    SimWorld world(seed);
    SimLoop loop_a(world);
    SimLoop loop_b(world);
    Random& random = world.random();
    auto pair = MemoryStream::Connected(loop_a, loop_b, DrawLinkPolicy(random, absl::Seconds(2)));
    const std::string to_b = Bytes(random, random.Size(200'000));
    const std::string to_a = Bytes(random, random.Size(200'000));
    Talker a(std::move(pair.connector), to_b, random.Size(40'000));
    Talker b(std::move(pair.acceptor), to_a, random.Size(40'000));
    world.set_turns_max(1'000'000);
    EXPECT_EQ(world.RunFor(absl::Hours(1)), SimWorld::End::kQuiet);
    EXPECT_TRUE(a.received == to_a);
    EXPECT_TRUE(b.received == to_b);
    EXPECT_TRUE(a.saw_end && b.saw_end);
    EXPECT_FALSE(a.failed || b.failed);
  }
}

TEST(MemoryStreamTest, ACutLeavesAPrefixAndBothEndsHearOfIt) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    SimWorld world(seed);
    SimLoop loop(world);
    Random& random = world.random();
    LinkPolicy policy = DrawLinkPolicy(random, absl::Seconds(2));
    DrawCut(random, policy, 50'000);
    const bool fin = std::min(policy.to_acceptor.cut_at_byte, policy.to_connector.cut_at_byte) ==
                             policy.to_acceptor.cut_at_byte
                         ? policy.to_acceptor.cut == CutKind::kFin
                         : policy.to_connector.cut == CutKind::kFin;
    auto pair = MemoryStream::Connected(loop, loop, policy);
    const std::string to_b = Bytes(random, 60'000);
    const std::string to_a = Bytes(random, 60'000);
    Talker a(std::move(pair.connector), to_b, 1000);
    Talker b(std::move(pair.acceptor), to_a, 1000);
    EXPECT_EQ(world.RunFor(absl::Hours(1)), SimWorld::End::kQuiet);
    EXPECT_TRUE(to_a.starts_with(a.received));
    EXPECT_TRUE(to_b.starts_with(b.received));
    EXPECT_TRUE(a.received.size() < to_a.size() || b.received.size() < to_b.size());
    EXPECT_TRUE(a.failed || a.saw_end);
    EXPECT_TRUE(b.failed || b.saw_end);
    if (!fin) {
      EXPECT_TRUE(a.failed && b.failed);
    }
    EXPECT_TRUE(pair.link->broken());
  }
}

class Quiet : public net::ByteStream::Observer {
 public:
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  int readable = 0;
  int writable = 0;
};

class MemoryStreamContractTest : public ::testing::Test {
 protected:
  IoResult Write(MemoryStream& stream, std::string_view text) {
    const absl::Span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(text.data()),
                                          text.size());
    return stream.Write({&piece, 1});
  }
  IoResult Read(MemoryStream& stream, size_t bytes) {
    std::vector<uint8_t> buffer(bytes);
    return stream.Read(absl::MakeSpan(buffer));
  }
  void Settle() { world_.RunFor(absl::Seconds(10)); }

  SimWorld world_{7};
  SimLoop loop_{world_};
  Quiet a_;
  Quiet b_;
};

TEST_F(MemoryStreamContractTest, EdgesWaitForAnObserver) {
  auto pair = MemoryStream::Connected(loop_, loop_, LinkPolicy());
  Write(*pair.connector, "hello");
  Settle();
  pair.acceptor->SetObserver(&b_);
  EXPECT_EQ(b_.readable, 0);
  Settle();
  EXPECT_EQ(b_.readable, 1);
}

TEST_F(MemoryStreamContractTest, AnEdgeComesOnceUntilWakeAgain) {
  auto pair = MemoryStream::Connected(loop_, loop_, LinkPolicy());
  pair.acceptor->SetObserver(&b_);
  Write(*pair.connector, "h");
  Settle();
  EXPECT_EQ(b_.readable, 1);
  Settle();
  EXPECT_EQ(b_.readable, 1);
  pair.acceptor->WakeAgain();
  Settle();
  EXPECT_EQ(b_.readable, 2);
  EXPECT_EQ(Read(*pair.acceptor, 10).bytes, 1u);
  EXPECT_EQ(Read(*pair.acceptor, 10).state, IoState::kBlocked);
}

TEST_F(MemoryStreamContractTest, AFullBufferBlocksUntilTheReaderReads) {
  LinkPolicy policy;
  policy.to_acceptor.capacity_bytes = 100;
  auto pair = MemoryStream::Connected(loop_, loop_, policy);
  pair.connector->SetObserver(&a_);
  EXPECT_EQ(Write(*pair.connector, std::string(150, 'x')).bytes, 100u);
  EXPECT_EQ(Write(*pair.connector, "x").state, IoState::kBlocked);
  Settle();
  EXPECT_EQ(a_.writable, 0);
  EXPECT_EQ(Read(*pair.acceptor, 80).bytes, 80u);
  Settle();
  EXPECT_EQ(a_.writable, 1);
  EXPECT_EQ(Write(*pair.connector, std::string(150, 'x')).bytes, 80u);
}

TEST_F(MemoryStreamContractTest, TheEndBehindAShortReadHasItsOwnEdge) {
  auto pair = MemoryStream::Connected(loop_, loop_, LinkPolicy());
  pair.acceptor->SetObserver(&b_);
  Write(*pair.connector, "bye");
  pair.connector->FinishSending();
  Settle();
  b_.readable = 0;
  EXPECT_EQ(Read(*pair.acceptor, 10).bytes, 3u);
  Settle();
  EXPECT_EQ(b_.readable, 1);
  EXPECT_EQ(Read(*pair.acceptor, 10).state, IoState::kEof);
  EXPECT_EQ(Write(*pair.acceptor, "still open this way").state, IoState::kOk);
}

TEST_F(MemoryStreamContractTest, ClosingWithUnreadBytesResets) {
  auto pair = MemoryStream::Connected(loop_, loop_, LinkPolicy());
  Write(*pair.connector, "unread");
  Settle();
  pair.acceptor.reset();
  Settle();
  EXPECT_EQ(Read(*pair.connector, 1).state, IoState::kFailed);
  EXPECT_EQ(pair.connector->error(), "Connection reset by peer");
}

TEST_F(MemoryStreamContractTest, ClosingWithNothingUnreadEndsAndLaterWritesReset) {
  auto pair = MemoryStream::Connected(loop_, loop_, LinkPolicy());
  Write(*pair.acceptor, "last words");
  pair.acceptor.reset();
  Settle();
  EXPECT_EQ(Read(*pair.connector, 100).bytes, 10u);
  EXPECT_EQ(Read(*pair.connector, 100).state, IoState::kEof);
  EXPECT_EQ(Write(*pair.connector, "to nobody").state, IoState::kOk);
  Settle();
  EXPECT_EQ(Write(*pair.connector, "again").state, IoState::kFailed);
}

TEST_F(MemoryStreamContractTest, AStallHoldsBackOneDirectionOnly) {
  LinkPolicy policy;
  policy.to_acceptor.stall_at_byte = 0;
  policy.to_acceptor.stall = absl::Seconds(3);
  auto pair = MemoryStream::Connected(loop_, loop_, policy);
  Write(*pair.connector, "late");
  Write(*pair.acceptor, "soon");
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(Read(*pair.connector, 10).bytes, 4u);
  EXPECT_EQ(Read(*pair.acceptor, 10).state, IoState::kBlocked);
  Settle();
  EXPECT_EQ(Read(*pair.acceptor, 10).bytes, 4u);
}

}  // namespace
}  // namespace pinion::testing
