// Endpoint → who accepts there. The simulated counterpart of listening sockets; one per world.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/net/endpoint.h"
#include "tests/testing/link_policy.h"
#include "tests/testing/memory_stream.h"

namespace pinion::testing {

class SimNetwork {
 public:
  using Accepted = std::function<void(std::unique_ptr<net::ByteStream>)>;
  // Decides how the next connection to `endpoint` will behave.
  using PolicyOf = std::function<LinkPolicy(const net::Endpoint& endpoint)>;

  explicit SimNetwork(SimWorld& world) : world_(world) {}
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // Until set, every connection has LinkPolicy's defaults.
  void set_policy(PolicyOf policy_of) { policy_of_ = std::move(policy_of); }

  // Calls `accepted` in a turn of `loop` for each connection; replaces an earlier listener.
  void Listen(const net::Endpoint& endpoint, SimLoop& loop, Accepted accepted);
  // Connections made from now on are refused; established ones stay.
  void Unlisten(const net::Endpoint& endpoint);

  std::unique_ptr<net::ByteStream> Connect(SimLoop& loop, const net::Endpoint& endpoint);

  // Breaks all connections made to `endpoint`, as when its process dies.
  void CutAll(const net::Endpoint& endpoint, CutKind how);

  // Connections that were begun to `endpoint`, whatever became of them.
  size_t connects(const net::Endpoint& endpoint) const;

 private:
  struct Place {
    SimLoop* loop = nullptr;  // null: nobody listens
    Accepted accepted;
    size_t connects = 0;
    std::vector<std::weak_ptr<Link>> links;
  };

  void Decide(const std::string& name, LinkPolicy::Connect how, const std::shared_ptr<Link>& link);

  SimWorld& world_;
  PolicyOf policy_of_;
  std::map<std::string, Place> places_;
};

}  // namespace pinion::testing
