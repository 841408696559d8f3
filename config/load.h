// The start-up configuration: an Envoy-style YAML file, checked completely before anything starts.
// Any thread; reads files, keeps none open.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/source_map.h"
#include "pinion/config/v1/config.pb.h"

namespace pinion::config {

struct Loaded {
  // As `pinion validate` and messages call it.
  std::string filename;
  // Valid: names, references, addresses and the files it names were checked. Relative paths have
  // become relative to the working directory instead of the file's.
  v1::Bootstrap bootstrap;
  // For what is found wrong only later, such as a port in use.
  SourceMap source;
};

// InvalidArgument: one line `file:line:column: message` for each error (at most
// ErrorList::kMaxErrors, then their number).
absl::StatusOr<Loaded> LoadFile(const std::string& path);

// The same for a text; `filename` stands in messages, and its directory is where relative paths
// begin.
absl::StatusOr<Loaded> LoadText(std::string_view text, const std::string& filename);

// `FILE: ok (1 listener, 2 services, 3 versions, 1 consumer)`
std::string Summary(const Loaded& loaded);

}  // namespace pinion::config
