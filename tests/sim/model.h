// What routing must decide, said a second time in the simplest way: the reference that the
// simulation holds the gateway to. Knows only what scenarios use. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pinion::sim {

// One service, `sim`, which claims this gRPC service; versions are MAJOR.MINOR.0.
inline constexpr char kService[] = "sim";
inline constexpr char kGrpcService[] = "sim.Echo";

struct VersionSpec {
  int major = 1;
  int minor = 0;
};
std::string NameOf(const VersionSpec& version);

// What one route table says. Instances and versions by their place in the scenario.
struct TableState {
  std::map<std::string, std::string> pins;  // consumer → expression
  std::map<std::string, int>
      drains;  // consumer → seconds that streams from before its pin may last
  size_t stable = 0;
  std::set<size_t> instances;
};

// What routing reads of a call.
struct Wanted {
  std::string consumer;          // empty: unregistered
  std::string header;            // api-version; empty: none
  bool unknown_service = false;  // the path names another gRPC service
};

struct Decision {
  std::optional<size_t> version;
  int refusal_code = 0;  // without a version: the gRPC status
};

// Expressions of scenarios: "1.2.0", "^1", "@stable"; anything else is malformed.
Decision Decide(const std::vector<VersionSpec>& versions, const TableState& table,
                const Wanted& wanted);

}  // namespace pinion::sim
