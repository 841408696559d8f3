#include "tests/testing/sim_network.h"

#include <memory>

#include "gtest/gtest.h"

namespace pinion::testing {
namespace {

class Hears : public net::ByteStream::Observer {
 public:
  void OnReadable() override { ++readable; }
  void OnWritable() override { ++writable; }
  int readable = 0;
  int writable = 0;
};

class SimNetworkTest : public ::testing::Test {
 protected:
  void Listen() {
    network_.Listen(endpoint_, loop_, [this](std::unique_ptr<net::ByteStream> stream) {
      accepted_ = std::move(stream);
    });
  }
  std::unique_ptr<net::ByteStream> Connect(absl::Duration run = absl::Seconds(1)) {
    auto stream = loop_.Connect(endpoint_);
    stream->SetObserver(&hears_);
    uint8_t byte;
    EXPECT_EQ(stream->Read({&byte, 1}).state, net::IoState::kBlocked);
    world_.RunFor(run);
    return stream;
  }
  net::IoState TryRead(net::ByteStream& stream) {
    uint8_t byte;
    return stream.Read({&byte, 1}).state;
  }

  SimWorld world_{1};
  SimNetwork network_{world_};
  SimLoop loop_{world_, &network_};
  const net::Endpoint endpoint_{.host = "10.0.0.1", .port = 80};
  std::unique_ptr<net::ByteStream> accepted_;
  Hears hears_;
};

TEST_F(SimNetworkTest, ConnectsToWhoListens) {
  Listen();
  const auto stream = Connect();
  ASSERT_NE(accepted_, nullptr);
  EXPECT_GE(hears_.writable, 1);
  EXPECT_EQ(TryRead(*stream), net::IoState::kBlocked);
  EXPECT_EQ(stream->peer(), "10.0.0.1:80");
  EXPECT_EQ(network_.connects(endpoint_), 1u);
}

TEST_F(SimNetworkTest, RefusesWhereNobodyListens) {
  Listen();
  network_.Unlisten(endpoint_);
  const auto stream = Connect();
  EXPECT_EQ(hears_.writable, 1);
  EXPECT_EQ(TryRead(*stream), net::IoState::kFailed);
  EXPECT_EQ(stream->error(), "Connection refused");
}

TEST_F(SimNetworkTest, PolicyMayRefuseOrNeverAnswer) {
  Listen();
  LinkPolicy policy;
  network_.set_policy([&](const net::Endpoint&) { return policy; });
  policy.connect = LinkPolicy::Connect::kRefuse;
  EXPECT_EQ(TryRead(*Connect()), net::IoState::kFailed);
  policy.connect = LinkPolicy::Connect::kNeverAnswer;
  EXPECT_EQ(TryRead(*Connect(absl::Hours(1))), net::IoState::kBlocked);
  EXPECT_EQ(accepted_, nullptr);
}

TEST_F(SimNetworkTest, GivingUpWhileConnectingIsNoConnection) {
  Listen();
  loop_.Connect(endpoint_).reset();
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(accepted_, nullptr);
}

TEST_F(SimNetworkTest, CutAllBreaksWhatIsConnected) {
  Listen();
  const auto stream = Connect();
  accepted_->SetObserver(&hears_);
  network_.CutAll(endpoint_, CutKind::kReset);
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(TryRead(*stream), net::IoState::kFailed);
  EXPECT_EQ(TryRead(*accepted_), net::IoState::kFailed);
}

}  // namespace
}  // namespace pinion::testing
