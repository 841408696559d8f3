// Which line of the file a field of the decoded configuration came from.
#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "config/errors.h"

namespace pinion::config {

// Paths are written `listeners[0].address.socket_address` and, for a map's entry,
// `consumers[0].pins["greeter"]`; the whole file is the empty path. Filled while decoding, then
// immutable.
class SourceMap {
 public:
  void Set(std::string_view path, Position key, Position value) {
    places_[std::string(path)] = Place{key, value};
  }

  // Where the value stands; for a field that the file leaves out, where the nearest enclosing
  // message stands.
  Position Value(std::string_view path) const { return Find(path).value; }

  // Where the field's name or the map's key stands; a list's item counts as its own key.
  Position Key(std::string_view path) const { return Find(path).key; }

 private:
  struct Place {
    Position key;
    Position value;
  };

  Place Find(std::string_view path) const {
    for (;;) {
      if (const auto it = places_.find(absl::string_view(path.data(), path.size()));
          it != places_.end())
        return it->second;
      if (path.empty()) return {};
      const size_t end = path.find_last_of(".[");
      path = path.substr(0, end == path.npos ? 0 : end);
    }
  }

  absl::flat_hash_map<std::string, Place> places_;
};

}  // namespace pinion::config
