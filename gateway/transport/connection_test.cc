// One connection against a peer that writes its own frames: what the loop's edges, a slow socket
// and the end of either side do to it.
#include "gateway/transport/connection.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/limits.h"
#include "gtest/gtest.h"
#include "tests/testing/h2_frames.h"
#include "tests/testing/memory_stream.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_network.h"
#include "tests/testing/sim_world.h"

namespace pinion::transport {
namespace {

namespace h2 = testing::h2;

// The far end: keeps everything that it gets, reads only while told to.
class RawPeer final : public net::ByteStream::Observer {
 public:
  explicit RawPeer(std::unique_ptr<net::ByteStream> stream) : stream_(std::move(stream)) {
    stream_->SetObserver(this);
  }

  void OnReadable() override {
    if (!reading) return;
    std::vector<uint8_t> buffer(4096);
    while (true) {
      const net::IoResult result = stream_->Read(absl::MakeSpan(buffer));
      if (result.state == net::IoState::kEof) ended = true;
      if (result.state == net::IoState::kFailed) failed = true;
      if (result.state != net::IoState::kOk) return;
      received.append(buffer.begin(), buffer.begin() + result.bytes);
    }
  }
  void OnWritable() override {}

  void Write(absl::string_view bytes) {
    const absl::Span<const uint8_t> piece(reinterpret_cast<const uint8_t*>(bytes.data()),
                                          bytes.size());
    EXPECT_EQ(stream_->Write({&piece, 1}).bytes, bytes.size());
  }
  void Close() { stream_.reset(); }

  std::string received;
  bool reading = true;
  bool ended = false;
  bool failed = false;

 private:
  std::unique_ptr<net::ByteStream> stream_;
};

class ConnectionTest : public ::testing::Test, public Connection::Handler, private net::TurnTask {
 protected:
  void Connect(const testing::LinkPolicy& policy = {}) {
    auto pair = testing::MemoryStream::Connected(loop_, loop_, policy);
    peer_ = std::make_unique<RawPeer>(std::move(pair.connector));
    connection_ = std::make_unique<Connection>(shared_, std::move(pair.acceptor),
                                               http2::Role::kServer, options_, *this);
  }
  void Run(absl::Duration time = absl::Seconds(5)) { world_.RunFor(time); }

  static std::string Hello() { return absl::StrCat(h2::kPreface, h2::Frame(h2::kSettings, 0, 0)); }
  static std::string Request(uint32_t stream, uint8_t flags = h2::kEndHeaders) {
    std::string block;
    for (const auto& [name, value] : h2::Fields{
             {":method", "POST"}, {":scheme", "http"}, {":path", "/a.B/C"}, {":authority", "x"}}) {
      block += h2::HpackLiteral(name, value);
    }
    return h2::Frame(h2::kHeaders, flags, stream, block);
  }

  testing::SimWorld world_{1};
  testing::SimLoop loop_{world_};
  Shared shared_{loop_};
  http2::Options options_;
  std::unique_ptr<RawPeer> peer_;
  std::unique_ptr<Connection> connection_;
  size_t data_bytes_ = 0;
  std::vector<http2::ErrorCode> resets_;
  std::vector<std::string> closed_;
  http2::Stream* stream_ = nullptr;
  std::string to_send_;
  bool refuse_ = false;        // each call, at once
  size_t begun_ = 0;           // calls, in this turn
  std::vector<size_t> turns_;  // calls that each began

 private:
  void OnEvent(const http2::Event& event) override {
    if (event.type == http2::EventType::kHeaders) {
      stream_ = event.stream;
      ++begun_;
      loop_.AtEndOfTurn(*this);
      if (refuse_) Refuse(*event.stream);
    }
    if (event.type == http2::EventType::kData) data_bytes_ += event.data.size();
    if (event.type == http2::EventType::kReset) resets_.push_back(event.error);
  }
  void Refuse(http2::Stream& stream) {
    connection_->session().SendHeaders(stream, {{{":status", "404"}}}, true);
    connection_->session().Release(stream);
  }
  void OnWritable(http2::Stream& stream) override { Send(); }
  void RunAtEndOfTurn() override { turns_.push_back(std::exchange(begun_, 0)); }
  void OnClosed(absl::string_view why) override { closed_.push_back(std::string(why)); }

 protected:
  void Send() {
    const http2::Bytes bytes(reinterpret_cast<const uint8_t*>(to_send_.data()), to_send_.size());
    to_send_.erase(0, connection_->session().SendData(*stream_, bytes, false));
  }
};

TEST_F(ConnectionTest, MoreThanOneTurnMayReadIsReadWithoutAnotherEdge) {
  testing::LinkPolicy policy;
  policy.to_acceptor.segment_bytes_max = 1 << 20;
  policy.to_acceptor.stall_at_byte = 0;  // all of it arrives in one moment
  policy.to_acceptor.stall = absl::Seconds(1);
  policy.to_acceptor.latency_min = policy.to_acceptor.latency_max = absl::ZeroDuration();
  options_.stream_window_bytes = 1 << 20;
  Connect(policy);
  std::string burst = absl::StrCat(Hello(), Request(1));
  const size_t frames = (limits::kReadsPerTurn + 2) * limits::kReadBufferBytes / 16384;
  for (size_t i = 0; i < frames; ++i) {
    burst += h2::Frame(h2::kData, 0, 1, std::string(16384, 'x'));
  }
  peer_->Write(burst);
  Run();
  EXPECT_EQ(data_bytes_, frames * 16384);
}

// Calls that end at once, as refused ones do: what one connection may begin before others have
// their turn is bounded.
TEST_F(ConnectionTest, ManyShortCallsTakeTurns) {
  testing::LinkPolicy policy;
  policy.to_acceptor.segment_bytes_max = 1 << 20;
  policy.to_acceptor.stall_at_byte = 0;
  policy.to_acceptor.stall = absl::Seconds(1);
  policy.to_acceptor.latency_min = policy.to_acceptor.latency_max = absl::ZeroDuration();
  Connect(policy);
  refuse_ = true;
  constexpr uint32_t kCalls = 10'000;
  std::string burst = Hello();
  for (uint32_t i = 0; i < kCalls; ++i)
    burst += Request(2 * i + 1, h2::kEndHeaders | h2::kEndStream);
  peer_->Write(burst);
  Run();
  EXPECT_EQ(std::accumulate(turns_.begin(), turns_.end(), size_t{0}), kCalls);
  // The first reads find out.
  EXPECT_LE(turns_.front(), limits::kReadBufferBytes / Request(1).size() + 1);
  const size_t later_max = limits::kStreamsPerTurn + limits::kReadBytesMin / Request(1).size() + 1;
  ASSERT_GT(turns_.size(), 10u);
  EXPECT_LE(*std::max_element(turns_.begin() + 5, turns_.end()), later_max);
}

TEST_F(ConnectionTest, APeerThatReadsNothingIsGivenUp) {
  testing::LinkPolicy policy;
  policy.to_connector.capacity_bytes = 1000;
  Connect(policy);
  peer_->reading = false;
  peer_->Write(absl::StrCat(Hello(), Request(1)));
  Run();
  loop_.Post([this] {
    connection_->session().SendHeaders(*stream_, {{{":status", "200"}}}, false);
    to_send_ = std::string(5000, 'x');
    Send();
  });
  Run(limits::kWriteStallMax - absl::Seconds(1));
  EXPECT_TRUE(closed_.empty());
  Run(absl::Seconds(10));
  ASSERT_EQ(closed_.size(), 1u);
  EXPECT_EQ(closed_[0], "the peer read nothing for too long");
  EXPECT_EQ(resets_, std::vector<http2::ErrorCode>{http2::ErrorCode::kInternalError});
}

TEST_F(ConnectionTest, ASlowPeerGetsEverything) {
  testing::LinkPolicy policy;
  policy.to_connector.capacity_bytes = 1000;
  policy.to_connector.write_bytes_max = 300;
  Connect(policy);
  peer_->Write(absl::StrCat(Hello(), Request(1)));
  Run();
  loop_.Post([this] {
    connection_->session().SendHeaders(*stream_, {{{":status", "200"}}}, false);
    to_send_ = std::string(60'000, 'x');
    Send();
  });
  Run(absl::Minutes(2));
  EXPECT_GT(peer_->received.size(), 60'000u);
  EXPECT_TRUE(closed_.empty());
}

TEST_F(ConnectionTest, AFaultIsSaidBeforeTheEnd) {
  Connect();
  // DATA on a stream that was never opened, and then more that nobody will read.
  peer_->Write(absl::StrCat(Hello(), h2::Frame(h2::kData, 0, 1, "?"), std::string(5000, 'z')));
  Run();
  const std::string goaway = h2::Frame(h2::kGoAway, 0, 0, h2::U32(0) + h2::U32(1));
  // The frame's length depends on the debug text; its stream, last id and code do not.
  EXPECT_NE(peer_->received.find(goaway.substr(3)), std::string::npos);
  EXPECT_TRUE(peer_->ended);
  EXPECT_FALSE(peer_->failed);
  EXPECT_EQ(closed_.size(), 1u);
}

TEST_F(ConnectionTest, TheEndOfThePeerResetsWhatIsOpen) {
  Connect();
  peer_->Write(absl::StrCat(Hello(), Request(1), Request(3)));
  Run();
  peer_->reading = true;
  peer_->Close();
  Run();
  EXPECT_EQ(resets_.size(), 2u);
  EXPECT_EQ(closed_, std::vector<std::string>{"closed by the peer"});
}

TEST_F(ConnectionTest, CloseSaysWhatIsQueuedFirst) {
  Connect();
  peer_->Write(absl::StrCat(Hello(), Request(1)));
  Run();
  loop_.Post([this] {
    connection_->session().SendHeaders(*stream_, {{{":status", "204"}}}, true);
    connection_->Close("enough");
  });
  Run();
  EXPECT_TRUE(peer_->ended);
  EXPECT_EQ(resets_.size(), 1u);
  EXPECT_EQ(closed_, std::vector<std::string>{"enough"});
  EXPECT_TRUE(connection_->closed());
}

// Nothing else of the connection can be read before a header block's end.
TEST_F(ConnectionTest, AHeaderBlockMustArriveInTime) {
  Connect();
  const std::string request = Request(1);
  peer_->Write(absl::StrCat(Hello(), request.substr(0, request.size() - 1)));
  Run(limits::kHeaderArrivalMax - absl::Seconds(1));
  EXPECT_TRUE(closed_.empty());
  Run(absl::Seconds(3));
  EXPECT_EQ(closed_, std::vector<std::string>{"a header block took too long to arrive"});
  const std::string goaway = h2::Frame(h2::kGoAway, 0, 0, h2::U32(1) + h2::U32(11));
  EXPECT_NE(peer_->received.find(goaway.substr(3)), std::string::npos);
  EXPECT_EQ(shared_.limits.value(http2::Limit::kHeaderArrival), 1u);
}

TEST_F(ConnectionTest, ContinuationsThatTrickleAreLate) {
  Connect();
  peer_->Write(absl::StrCat(Hello(), Request(1, 0)));
  for (int i = 0; i < 5; ++i) {
    Run(absl::Seconds(3));
    if (closed_.empty())
      peer_->Write(h2::Frame(h2::kContinuation, 0, 1, h2::HpackLiteral("a", "b")));
  }
  EXPECT_EQ(closed_.size(), 1u);
}

// As reads of a busy peer do: each ends within a block, which the next read completes.
TEST_F(ConnectionTest, BlocksThatAreCutBetweenReadsAreNotLate) {
  Connect();
  peer_->Write(Hello());
  refuse_ = true;
  std::string rest;
  for (uint32_t i = 0; i < 60; ++i) {
    const std::string request = Request(2 * i + 1, h2::kEndHeaders | h2::kEndStream);
    peer_->Write(absl::StrCat(rest, request.substr(0, 12)));
    rest = request.substr(12);
    Run(absl::Seconds(1));
  }
  EXPECT_TRUE(closed_.empty());
  EXPECT_EQ(shared_.limits.value(http2::Limit::kHeaderArrival), 0u);
}

// What is queued could only wait for someone who may never come.
TEST_F(ConnectionTest, WithoutAPeerYetItClosesAtOnce) {
  testing::SimNetwork network(world_);
  network.set_policy([](const net::Endpoint&) {
    testing::LinkPolicy policy;
    policy.connect = testing::LinkPolicy::Connect::kNeverAnswer;
    return policy;
  });
  connection_ = std::make_unique<Connection>(shared_, network.Connect(loop_, {.path = "silent"}),
                                             http2::Role::kClient, options_, *this);
  Run();
  EXPECT_TRUE(closed_.empty());
  loop_.Post([this] { connection_->Close("enough"); });
  Run(absl::Milliseconds(1));
  EXPECT_EQ(closed_, std::vector<std::string>{"enough"});
}

}  // namespace
}  // namespace pinion::transport
