// Real sockets and threads: how connections come to workers.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "gateway/limits.h"
#include "gateway/net/fd.h"
#include "gateway/worker/gateway.h"

namespace pinion::worker {
namespace {

constexpr int kWorkers = 4;

class Connections : public ::testing::Test {
 protected:
  void SetUp() override { Start(kWorkers, 1, limits::kMaxConnections); }

  void Start(int workers, int listeners, size_t connections_max) {
    Settings settings;
    settings.workers = workers;
    settings.connections_max = connections_max;
    for (int i = 0; i < listeners; ++i) {
      ListenerSettings& listener = settings.listeners.emplace_back();
      listener.options.name = "l" + std::to_string(i);
      listener.endpoint.host = "127.0.0.1";
    }
    auto started = Gateway::Start(settings, SystemClock());
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = *std::move(started);
  }

  net::Fd Connect(size_t listener = 0) {
    net::Fd fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(gateway_->listeners().at(listener).endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  std::vector<uint64_t> Open() const {
    std::vector<uint64_t> open;
    for (const proxy::Stats* stats : gateway_->stats()) open.push_back(stats->connections.value());
    return open;
  }

  // Open() once their sum is `count`, or what it is after a minute.
  std::vector<uint64_t> OpenOnceThereAre(uint64_t count) const {
    const absl::Time give_up = SystemClock().Monotonic() + absl::Minutes(1);
    std::vector<uint64_t> open;
    do {
      std::this_thread::yield();
      open = Open();
    } while (std::accumulate(open.begin(), open.end(), uint64_t{0}) != count &&
             SystemClock().Monotonic() < give_up);
    return open;
  }

  std::unique_ptr<Gateway> gateway_;
};

// One after the other, so that no two workers choose at once.
TEST_F(Connections, AreSpreadEvenly) {
  std::vector<net::Fd> open;
  for (uint64_t i = 1; i <= 5 * kWorkers; ++i) {
    open.push_back(Connect());
    OpenOnceThereAre(i);
  }
  EXPECT_EQ(Open(), std::vector<uint64_t>(kWorkers, 5));
}

TEST_F(Connections, NewOnesGoWhereOldOnesHaveClosed) {
  std::vector<net::Fd> open;
  for (uint64_t i = 1; i <= 8 * kWorkers; ++i) {
    open.push_back(Connect());
    OpenOnceThereAre(i);
  }
  // Of every eight in their order five go, which the workers had each some of.
  std::vector<net::Fd> kept;
  for (size_t i = 0; i < open.size(); ++i) {
    if (i % 8 > 4) kept.push_back(std::move(open[i]));
  }
  open.clear();
  OpenOnceThereAre(kept.size());
  for (uint64_t count = kept.size(); count < 4 * kWorkers; ++count) {
    kept.push_back(Connect());
    OpenOnceThereAre(count + 1);
  }
  EXPECT_EQ(Open(), std::vector<uint64_t>(kWorkers, 4));
}

TEST_F(Connections, AFullListenerKeepsNobodyFromAnother) {
  constexpr uint64_t kMost = 3;
  Start(/*workers=*/1, /*listeners=*/2, kMost);
  std::vector<net::Fd> open;
  for (uint64_t i = 1; i <= kMost; ++i) {
    open.push_back(Connect(0));
    OpenOnceThereAre(i);
  }
  open.push_back(Connect(1));
  EXPECT_EQ(OpenOnceThereAre(kMost + 1), std::vector<uint64_t>{kMost + 1});
}

TEST_F(Connections, ManyAtOnceWhileTheGatewayStops) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this] {
      std::vector<net::Fd> open;
      for (int n = 0; n < 50; ++n) open.push_back(Connect());
    });
  }
  for (std::thread& caller : callers) caller.join();
  gateway_.reset();
}

}  // namespace
}  // namespace pinion::worker
