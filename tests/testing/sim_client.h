// A caller: one HTTP/2 connection that makes calls as their plans say and records what it sees.
// Knows nothing of gateways; works on any event loop. The loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/http2/session.h"
#include "gateway/net/event_loop.h"
#include "gateway/transport/connection.h"
#include "tests/testing/call_plan.h"

namespace pinion::testing {

class SimClient final : private transport::Connection::Handler {
 public:
  // `on_end` hears of each call that ended.
  SimClient(transport::Shared& shared, std::unique_ptr<net::ByteStream> stream,
            const http2::Options& options, std::function<void(CallBook::Entry&)> on_end);
  ~SimClient();
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  // Makes the call as soon as the peer allows a stream. `entry` outlives the client.
  void Start(CallBook::Entry& entry);

  // Closes the connection; running calls end with kConnectionLost.
  void Close();

  // No call is running or waiting.
  bool idle() const { return calls_.empty() && waiting_.empty(); }
  bool closed() const { return connection_.closed(); }
  // The peer said GOAWAY: calls that were not started end with kConnectionLost.
  bool going_away() const { return going_away_; }

  const http2::Session& session() const { return connection_.session(); }

 private:
  class Call;
  friend class Call;

  void OnEvent(const http2::Event& event) override;
  void OnWritable(http2::Stream& stream) override;
  void OnClosed(absl::string_view why) override;

  void StartWaiting();
  void EndWaiting(std::string_view why);
  void Remove(Call& call);

  net::EventLoop& loop_;
  std::function<void(CallBook::Entry&)> on_end_;
  transport::Connection connection_;
  std::deque<CallBook::Entry*> waiting_;
  std::vector<std::unique_ptr<Call>> calls_;
  bool going_away_ = false;
};

}  // namespace pinion::testing
