// An instance: accepts HTTP/2 connections at one endpoint and answers each call as its plan says,
// which it finds by the call's kCallHeader. Records what it sees, and complains to the book about
// what must never reach a server. The loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/http2/options.h"
#include "gateway/net/endpoint.h"
#include "gateway/transport/connection.h"
#include "tests/testing/call_plan.h"
#include "tests/testing/sim_network.h"

namespace pinion::testing {

class SimServer final {
 public:
  struct Identity {
    std::string uid;
    std::string version;
    net::Endpoint endpoint;
  };

  SimServer(transport::Shared& shared, Identity identity, const http2::Options& options,
            CallBook& book);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  // A connection that somebody accepted.
  void Accept(std::unique_ptr<net::ByteStream> stream);

  // All connections: GOAWAY(2^31-1), the real one after `grace`, closed when the calls have ended.
  void GoAway(absl::Duration grace);
  // All connections: GOAWAY with the highest id seen at once.
  void GoAwayAtOnce();
  // All connections and those to come announce this limit from now on.
  void LowerMaxStreams(uint32_t streams);

  const Identity& identity() const { return identity_; }
  // Streams that are open on any connection.
  size_t active_streams() const;
  size_t connections() const { return connections_.size(); }

 private:
  class Connection;
  class Call;
  friend class Connection;

  void Remove(Connection& connection);

  transport::Shared& shared_;
  const Identity identity_;
  http2::Options options_;
  CallBook& book_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace pinion::testing
