// Where an etcd is and how a store speaks to it. Knows no gRPC type, so that who opens a store does
// not compile gRPC's headers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace pinion::store {

struct EtcdTls {
  // Paths of PEM files, read again when they change. `ca` empty: the system's authorities.
  std::string ca;
  std::string certificate;  // both or none: what the store shows etcd
  std::string key;
};

struct EtcdOptions {
  std::vector<std::string> endpoints;  // HOST:PORT of each member, at least one
  // Of all keys, so that several registries, and others, can share one etcd. At most
  // kMaxEtcdPrefixBytes.
  std::string prefix = "/pinion/";
  bool use_tls = false;
  EtcdTls tls;
  std::string username;  // empty: none
  std::string password;
  // For one call with all its attempts at all members; an election takes one or two seconds of it.
  // Shorter than clients wait for a call, so that they hear what is wrong.
  absl::Duration request_timeout = absl::Seconds(5);
  // How long Open() waits for an etcd that does not answer.
  absl::Duration open_timeout = absl::Seconds(30);
  // Asked while it waits, on its thread: true ends it. May be null.
  std::function<bool()> stop_opening;
};

// Each operation of a transaction repeats the prefix, and all must fit etcd's request limit.
inline constexpr size_t kMaxEtcdPrefixBytes = 64;

}  // namespace pinion::store
