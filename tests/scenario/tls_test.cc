// What the proxy owes a caller who comes over TLS, from the first byte of the handshake on.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/limits.h"
#include "gateway/tls_limits.h"
#include "tests/scenario/tls_scenario.h"

namespace pinion::proxy {
namespace {

class HandshakeTest : public TlsScenarioTest {
 protected:
  void EndNewcomers() {
    proxy_loop_.Post([proxy = proxy_.get()] { proxy->EndNewcomers(limits::kHandshakePatience); });
    RunFor(absl::Milliseconds(10));
  }

  // One that connects and says nothing.
  void ConnectSilently() { silent_.push_back(network_.Connect(peer_loop_, kGateway)); }

  uint64_t limit(http2::Limit limit) { return proxy_->limits().value(limit); }

  std::vector<std::unique_ptr<net::ByteStream>> silent_;
};

TEST_F(HandshakeTest, ACallAndItsAnswerPass) {
  ConnectTlsClient();
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(VersionOf(call), "1.0.0");
  EXPECT_EQ(proxy_->newcomers(), 0u);
}

TEST_F(HandshakeTest, AHandshakeThatDoesNotComeEndsInTime) {
  ConnectSilently();
  RunFor(limits::kPrefaceTimeout - absl::Seconds(1));
  const size_t before = proxy_->connections(listener_);
  EXPECT_GE(before, 1u);
  RunFor(absl::Seconds(3));
  EXPECT_EQ(proxy_->connections(listener_), before - 1);
  EXPECT_GE(limit(http2::Limit::kPrefaceTimeout), 1u);
}

TEST_F(HandshakeTest, SlowHandshakesGiveWayAndCallersStay) {
  ConnectTlsClient();
  Run();
  RunFor(absl::Seconds(1));
  const size_t before = proxy_->connections(listener_);
  for (int i = 0; i < 5; ++i) ConnectSilently();
  RunFor(absl::Milliseconds(500));
  EXPECT_EQ(proxy_->connections(listener_), before + 5);
  EndNewcomers();
  EXPECT_EQ(proxy_->connections(listener_), before + 5) << "they had less than their time";
  RunFor(absl::Milliseconds(600));
  EndNewcomers();
  EXPECT_EQ(proxy_->newcomers(), 0u);
  EXPECT_EQ(proxy_->connections(listener_), before);
  const CallRecord& call = Start(Plan()).record;
  Run();
  EXPECT_EQ(VersionOf(call), "1.0.0");
}

TEST_F(HandshakeTest, ManyHandshakesAtOnceAllSucceed) {
  const int many = 5 * limits::kTlsHandshakesPerTurn;
  for (int i = 0; i < many; ++i) {
    ConnectTlsClient();
    Start(Plan());
  }
  Run();
  EXPECT_EQ(ended_, started_);
  EXPECT_EQ(proxy_->tls().downstream.handshakes.value(), static_cast<uint64_t>(many));
}

}  // namespace
}  // namespace pinion::proxy
