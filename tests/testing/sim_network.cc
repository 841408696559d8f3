#include "tests/testing/sim_network.h"

#include <utility>

namespace pinion::testing {

void SimNetwork::Listen(const net::Endpoint& endpoint, SimLoop& loop, Accepted accepted) {
  Place& place = places_[net::ToString(endpoint)];
  place.loop = &loop;
  place.accepted = std::move(accepted);
}

void SimNetwork::Unlisten(const net::Endpoint& endpoint) {
  Place& place = places_[net::ToString(endpoint)];
  place.loop = nullptr;
  place.accepted = nullptr;
}

std::unique_ptr<net::ByteStream> SimNetwork::Connect(SimLoop& loop, const net::Endpoint& endpoint) {
  const std::string name = net::ToString(endpoint);
  const LinkPolicy policy = policy_of_ != nullptr ? policy_of_(endpoint) : LinkPolicy();
  auto link = std::make_shared<Link>(world_, policy);
  Place& place = places_[name];
  ++place.connects;
  std::erase_if(place.links, [](const std::weak_ptr<Link>& old) { return old.expired(); });
  place.links.push_back(link);
  auto stream = MemoryStream::Connecting(loop, link, name);
  world_.After(policy.connect_delay,
               [this, name, how = policy.connect, link] { Decide(name, how, link); });
  return stream;
}

void SimNetwork::Decide(const std::string& name, LinkPolicy::Connect how,
                        const std::shared_ptr<Link>& link) {
  Place& place = places_[name];
  if (how == LinkPolicy::Connect::kNeverAnswer) return;
  if (how == LinkPolicy::Connect::kRefuse || place.loop == nullptr) {
    MemoryStream::Refuse(link);
    return;
  }
  std::unique_ptr<net::ByteStream> accepted =
      MemoryStream::Accept(*place.loop, link, "127.0.0.1:50000");
  if (accepted == nullptr) return;
  // std::function wants to be copied, so the stream travels in a shared box. When the listener has
  // gone before the turn comes, the stream is closed with the box.
  auto box = std::make_shared<std::unique_ptr<net::ByteStream>>(std::move(accepted));
  place.loop->Post([this, name, box] {
    if (places_[name].accepted != nullptr) places_[name].accepted(std::move(*box));
  });
}

void SimNetwork::CutAll(const net::Endpoint& endpoint, CutKind how) {
  for (const std::weak_ptr<Link>& weak : places_[net::ToString(endpoint)].links) {
    if (const std::shared_ptr<Link> link = weak.lock()) link->Cut(how);
  }
}

size_t SimNetwork::connects(const net::Endpoint& endpoint) const {
  const auto found = places_.find(net::ToString(endpoint));
  return found == places_.end() ? 0 : found->second.connects;
}

}  // namespace pinion::testing
