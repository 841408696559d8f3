// Asks instances over gRPC: whether they serve (grpc.health.v1), and which schema they show (server
// reflection). Owned by RegistryServer; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "registry/probe/probe.h"

namespace pinion::probe {

// For instances that have a TLS name. Files are PEM and read for each new connection; empty: the
// system's CAs, no certificate of our own.
struct TlsFiles {
  std::vector<std::string> services;  // of these; when empty, of all that no other entry names
  std::string trusted_ca;
  std::string certificate_chain;
  std::string private_key;
};

struct ProbeOptions {
  absl::Duration timeout = absl::Seconds(3);  // of one probe, all its calls together
  std::vector<TlsFiles> tls;
  // Connections that are kept between probes, some dozens of KiB each. Of instances beyond these
  // nobody notices that another server has taken the address, until their schema is asked for
  // again.
  size_t connections_max = 512;
};

class InstanceProbe {
 public:
  explicit InstanceProbe(ProbeOptions options);
  ~InstanceProbe();
  InstanceProbe(const InstanceProbe&) = delete;
  InstanceProbe& operator=(const InstanceProbe&) = delete;

  // As probe::Ask. Blocks for the timeout at most.
  Answer Ask(const Question& question);

  // Cuts short what runs, and all that comes: those answers mean nothing.
  void Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::probe
