// What `api-version` values mean that no pin uses, remembered so that each is parsed once per route
// table. Owned by one worker and used on its thread only; starts afresh by itself when the table
// changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
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

  // How many are remembered; never above the bound.
  size_t size() const { return young_.size() + old_.size(); }

 private:
  friend class Decision;

  struct KeyView {
    uint32_t service;
    absl::string_view value;
  };
  struct Key {
    uint32_t service;
    std::string value;
    operator KeyView() const { return {service, value}; }  // NOLINT: what lookups take
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const KeyView& key) const { return absl::HashOf(key.service, key.value); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const {
      return a.service == b.service && a.value == b.value;
    }
  };
  using Map = absl::flat_hash_map<Key, std::shared_ptr<const ExpressionEntry>, Hash, Equal>;

  // Forgets what belongs to another table.
  void Bind(uint64_t table_generation);
  // The entry, or null.
  const ExpressionEntry* Find(uint32_t service, absl::string_view value) const;
  const ExpressionEntry* Insert(uint32_t service, absl::string_view value,
                                std::shared_ptr<const ExpressionEntry> entry);

  const size_t entries_max_;
  uint64_t table_generation_ = 0;
  // When the young are half of the bound they become the old, and the old are forgotten.
  Map young_;
  Map old_;
};

}  // namespace pinion::route
