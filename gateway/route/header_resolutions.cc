#include "gateway/route/header_resolutions.h"

namespace pinion::route {

void HeaderResolutions::Bind(uint64_t table_generation) {
  if (table_generation == table_generation_) return;
  table_generation_ = table_generation;
  young_.clear();
  old_.clear();
}

const ExpressionEntry* HeaderResolutions::Find(uint32_t service, absl::string_view value) const {
  const KeyView key{service, value};
  if (const auto it = young_.find(key); it != young_.end()) return it->second.get();
  if (const auto it = old_.find(key); it != old_.end()) return it->second.get();
  return nullptr;
}

const ExpressionEntry* HeaderResolutions::Insert(uint32_t service, absl::string_view value,
                                                 std::shared_ptr<const ExpressionEntry> entry) {
  if (young_.size() >= entries_max_ / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  return young_.insert_or_assign(Key{service, std::string(value)}, std::move(entry))
      .first->second.get();
}

}  // namespace pinion::route
