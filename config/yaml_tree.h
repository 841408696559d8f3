// One YAML document as a tree with positions: the only place that knows yaml-cpp. Pure; any thread.
//
// YAML as Pinion takes it: one document; keys are scalars and unique; anchors, aliases and merge
// keys (`<<`) work, bounded by what they expand to; tags but the core schema's are refused. Scalars
// stay text: the schema decides what they mean, so `1.0` stays a version name and `no` a country.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/errors.h"

namespace pinion::config {

// Far more than a fleet's pins in one file; reading that many takes a second.
inline constexpr size_t kMaxYamlBytes = size_t{32} << 20;
// After expansion of aliases and merges, so that nine lines cannot become a billion nodes.
inline constexpr size_t kMaxYamlNodes = 2'000'000;
// The schema is a dozen levels deep.
inline constexpr size_t kMaxYamlDepth = 64;

struct Node;
// Shared by the aliases of one anchor.
using NodePtr = std::shared_ptr<const Node>;

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  struct Entry {
    std::string key;
    Position key_position;
    NodePtr value;
  };

  Kind kind = Kind::kNull;
  Position position;
  bool quoted = false;         // scalars: written in quotes, as a block, or tagged !!str
  std::string scalar;          // kScalar
  std::vector<NodePtr> items;  // kSequence
  // kMapping: unique keys in the order of the file; those merged in come last, and never hide one
  // of the mapping's own.
  std::vector<Entry> entries;
};

// Null when `text` is no such document; `errors` then says why. An empty document is an error.
NodePtr ParseYaml(std::string_view text, ErrorList& errors);

}  // namespace pinion::config
