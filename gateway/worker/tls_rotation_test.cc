// Who is asked to go when a certificate is about to expire, and when.
#include "gateway/worker/tls_rotation.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gateway/tls_limits.h"
#include "gtest/gtest.h"
#include "tests/testing/certificates.h"
#include "tests/testing/memory_stream.h"
#include "tests/testing/sim_loop.h"
#include "tests/testing/sim_world.h"
#include "tests/testing/temp_directory.h"

namespace pinion::worker {
namespace {

// The wall clock by which the certificates were made, moved by the world's time.
class WorldClock final : public Clock {
 public:
  explicit WorldClock(const testing::SimWorld& world) : world_(world), start_(world.now()) {}
  absl::Time Monotonic() const override { return world_.now(); }
  absl::Time Wall() const override { return made_ + (world_.now() - start_); }

 private:
  const testing::SimWorld& world_;
  const absl::Time start_;
  const absl::Time made_ = SystemClock().Wall();
};

class TlsRotationTest : public ::testing::Test {
 protected:
  static Settings TwoListeners() {
    Settings settings;
    settings.listeners.resize(2);
    return settings;
  }

  // Listener 0 with a certificate for so long; listener 1 without TLS.
  void Use(absl::Duration valid) {
    const auto files = ca_.Issue(dir_.path(), "server", {.dns = {"server.test"}, .valid = valid});
    auto set = std::make_shared<TlsSet>();
    set->listeners = {*net::TlsContext::ForServers({.certificates = {files}}, tickets_), nullptr};
    auto upstream = std::make_shared<upstream::TlsContexts>();
    upstream->others = *net::TlsContext::ForClients({});
    set->upstream = upstream;
    OnLoop([this, set] { rotation_.Use(set); });
  }
  void Accept(size_t listener) {
    auto pair = testing::MemoryStream::Connected(loop_, loop_, {});
    peers_.push_back(std::move(pair.connector));
    auto stream = std::make_shared<std::unique_ptr<net::ByteStream>>(std::move(pair.acceptor));
    OnLoop([this, stream, listener] { rotation_.Accept(std::move(*stream), listener); });
  }
  void OnLoop(std::function<void()> work) {
    loop_.Post(std::move(work));
    world_.RunFor(absl::Milliseconds(1));
  }
  uint64_t drained() const { return rotation_.drained().value(); }

  testing::TempDirectory dir_;
  const testing::CertificateAuthority ca_;
  std::shared_ptr<const net::TlsTicketKeys> tickets_ = std::make_shared<net::TlsTicketKeys>();
  testing::SimWorld world_{1};
  WorldClock clock_{world_};
  testing::SimLoop loop_{world_};
  const Settings settings_ = TwoListeners();
  // Its handshakes never come, so a connection stays for limits::kPrefaceTimeout at most.
  proxy::Proxy proxy_{loop_, {}};
  TlsRotation rotation_{settings_, loop_, clock_, proxy_};
  std::vector<std::unique_ptr<net::ByteStream>> peers_;
};

TEST_F(TlsRotationTest, ConnectionsGoBeforeTheirCertificateExpires) {
  Use(absl::Minutes(10) + absl::Seconds(5));
  Accept(0);
  Accept(1);
  Use(absl::Hours(24));
  Accept(0);
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(drained(), 0u);
  world_.RunFor(absl::Minutes(1));
  EXPECT_EQ(drained(), 1u) << "the one with the earlier certificate";
}

TEST_F(TlsRotationTest, WithoutALaterCertificateNobodyGoes) {
  Use(absl::Minutes(10) + absl::Seconds(5));
  Accept(0);
  Use(absl::Minutes(10) + absl::Seconds(2));
  world_.RunFor(absl::Minutes(20));
  EXPECT_EQ(drained(), 0u);
}

TEST_F(TlsRotationTest, ManyGoAHundredASecond) {
  Use(absl::Minutes(9));
  for (size_t i = 0; i < 2 * limits::kTlsDrainsPerSecond + 10; ++i) Accept(0);
  Use(absl::Hours(24));
  EXPECT_EQ(drained(), limits::kTlsDrainsPerSecond);
  world_.RunFor(absl::Milliseconds(1500));
  EXPECT_EQ(drained(), 2 * limits::kTlsDrainsPerSecond);
  world_.RunFor(absl::Milliseconds(1000));
  EXPECT_EQ(drained(), 2 * limits::kTlsDrainsPerSecond + 10);
}

TEST_F(TlsRotationTest, ThoseOfAnExpiredOneGoAtOnce) {
  Use(-absl::Hours(1));
  for (size_t i = 0; i < limits::kTlsDrainsPerSecond + 10; ++i) Accept(0);
  Use(absl::Hours(24));
  EXPECT_EQ(drained(), limits::kTlsDrainsPerSecond + 10);
}

TEST_F(TlsRotationTest, EarlierOnesBeyondTheBoundShareTheFirstExpiry) {
  for (size_t i = 0; i < limits::kTlsEarlierMax + 3; ++i) {
    Use(absl::Minutes(10) + absl::Seconds(5) + absl::Hours(1) * static_cast<int>(i));
    Accept(0);
  }
  Use(absl::Hours(240));
  world_.RunFor(absl::Seconds(8));
  EXPECT_EQ(drained(), 4u) << "the first, and three that share its expiry";
}

}  // namespace
}  // namespace pinion::worker
