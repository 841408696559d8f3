// What `api-version` values mean that no pin uses, remembered so that each is parsed once per route
// table. Owned by one worker and used on its thread only; starts afresh by itself when the table
// changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gateway/limits.h"
#include "gateway/route/entries.h"

namespace pinion::route {

class HeaderResolutions {
 public:
  explicit HeaderResolutions(size_t entries_max = limits::kMaxHeaderResolutions)
      : entries_max_(entries_max) {}
  HeaderResolutions(const HeaderResolutions&) = delete;
  HeaderResolutions& operator=(const HeaderResolutions&) = delete;

  // How many are remembered; never above twice half of the bound.
  size_t size() const { return young_.size() + old_.size(); }

 private:
  friend class RouteTable;
  using Map = absl::flat_hash_map<std::string, std::shared_ptr<const ExpressionEntry>>;

  // Forgets what belongs to another table than `table_generation`.
  void Bind(uint64_t table_generation);
  // The entry, or null. `key` is the service's id followed by the value.
  const ExpressionEntry* Find(absl::string_view key) const;
  const ExpressionEntry* Insert(absl::string_view key,
                                std::shared_ptr<const ExpressionEntry> entry);

  const size_t entries_max_;
  uint64_t table_generation_ = 0;
  // When the young are half of the bound they become the old, and the old are forgotten.
  Map young_;
  Map old_;
};

}  // namespace pinion::route
