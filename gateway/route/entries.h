// What a RouteTable consists of: values compiled by TableBuilder, immutable from then on, shared
// between tables as long as they do not change. Readable from any thread that holds the table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/route/retry_policy.h"
#include "pinion/routing/v1/routing.pb.h"
#include "registry/version/expression.h"
#include "registry/version/ramp.h"
#include "registry/version/version_name.h"

namespace pinion::route {

// A running server of one version.
struct InstanceEntry {
  std::string uid;
  std::string host;  // IP address, DNS name, or with `port` 0 the path of a Unix socket
  uint16_t port = 0;
  std::string tls_name;
  uint32_t weight = 1;  // at least 1
  std::string zone;
};

// One API version of a service.
struct VersionEntry {
  // The same (service, version) has the same id in all tables of one TableBuilder, and no other
  // ever has it: the key under which a worker keeps the version's upstream cluster. Ids start at 0
  // and have few gaps.
  uint32_t id = 0;
  std::string service;
  std::string name;
  version::VersionName parsed;
  routing::v1::VersionState state = routing::v1::VERSION_STATE_UNSPECIFIED;
  routing::v1::LoadBalancing load_balancing = routing::v1::LEAST_REQUEST;
  std::shared_ptr<const RetryPolicy> retry;  // null: only what no server has looked at
  std::string successor;                     // version name; empty: none named

  // Never null. The same pointer as in the table before means: unchanged.
  std::shared_ptr<const std::vector<InstanceEntry>> instances;

  // Response metadata, ready to send: `api-version` is `name`. Empty strings are not sent.
  std::string deprecation_header;  // "@1764000000", RFC 9745
  std::string sunset_header;       // HTTP-date, RFC 8594
  std::string link_header;         // <…>; rel="successor-version"

  std::string schema_digest;  // key of RouteTable::FindSchema(); empty without descriptors

  // Bit n: has the method that ServiceEntry::methods numbers n. Ignored without descriptors.
  bool has_descriptors = false;
  std::vector<uint64_t> method_bits;

  bool HasMethod(uint16_t method) const {
    return method / 64 < method_bits.size() && (method_bits[method / 64] >> (method % 64) & 1) != 0;
  }
};

// An expression of one service and the version that it means in this table.
struct ExpressionEntry {
  // Of a channel on its way to another version: some consumers are there already.
  struct Ramp {
    version::RampShare share;
    uint32_t percent = 0;
    std::string version_name;
    const VersionEntry* version = nullptr;  // null: there is no such version
  };

  std::string text;
  const VersionEntry* version = nullptr;  // null: nothing matches, or the text is malformed
  std::shared_ptr<const Ramp> ramp;       // null: the same for all
  std::string problem;  // not empty: malformed; what is wrong and what to write instead
};

// What one consumer may choose among the versions of one service.
struct EntitlementEntry {
  std::string text;
  version::Expression expression;

  bool Allows(const VersionEntry& version) const { return expression.Matches(version.parsed); }
};
// By the consumer's name.
using EntitlementMap = absl::flat_hash_map<std::string, std::shared_ptr<const EntitlementEntry>>;

struct ServiceEntry {
  uint32_t id = 0;
  std::string name;
  routing::v1::Scheme scheme = routing::v1::SCHEME_UNSPECIFIED;
  std::vector<std::string> grpc_services;
  std::vector<std::shared_ptr<const VersionEntry>> versions;  // newest first
  absl::flat_hash_map<absl::string_view, const VersionEntry*> versions_by_name;
  std::vector<routing::v1::Channel> channels;  // by name

  // The expressions that pins use, by the number that pins hold (null: a free number), and by text.
  std::vector<std::shared_ptr<const ExpressionEntry>> expressions;
  absl::flat_hash_map<absl::string_view, const ExpressionEntry*> expressions_by_text;

  // @channel for each channel, in the order of `channels`; and what the policy for the unpinned
  // asks for (null: reject).
  std::vector<std::shared_ptr<const ExpressionEntry>> channel_expressions;
  std::shared_ptr<const ExpressionEntry> unpinned;
  // What the package of each of `grpc_services` asks for (`v2` of acme.v2.X), in their order; null:
  // nothing. Empty without version_from_package.
  std::vector<std::shared_ptr<const ExpressionEntry>> package_expressions;
  bool pin_on_first_call = false;

  // Full method path → number in VersionEntry::method_bits and in method pins; 0 is never used.
  // Never null.
  std::shared_ptr<const absl::flat_hash_map<std::string, uint16_t>> methods;
  bool has_method_pins = false;

  // Consumers that are not in it may choose all versions. Never null.
  std::shared_ptr<const EntitlementMap> entitlements;

  // The expression @`name`, or null if the service has no such channel.
  const ExpressionEntry* FindChannel(absl::string_view name) const;
  // Null: no such version.
  const VersionEntry* FindVersion(absl::string_view name) const;
};

}  // namespace pinion::route
