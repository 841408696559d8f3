#include "registry/compat/number_ranges.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pinion::compat {

std::vector<NumberRange> ReservedRanges(const google::protobuf::DescriptorProto& message) {
  std::vector<NumberRange> ranges;
  // A message's range ends before its end, an enum's with it.
  for (const auto& range : message.reserved_range()) {
    ranges.push_back({range.start(), static_cast<int64_t>(range.end()) - 1});
  }
  return ranges;
}

std::vector<NumberRange> ReservedRanges(const google::protobuf::EnumDescriptorProto& type) {
  std::vector<NumberRange> ranges;
  for (const auto& range : type.reserved_range()) ranges.push_back({range.start(), range.end()});
  return ranges;
}

NumberSet::NumberSet(std::vector<NumberRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
  for (const NumberRange& range : ranges) {
    if (!merged_.empty() && range.first <= merged_.back().last + 1) {
      merged_.back().last = std::max(merged_.back().last, range.last);
    } else {
      merged_.push_back(range);
    }
  }
}

bool NumberSet::Covers(const NumberRange& range) const {
  const auto it =
      std::partition_point(merged_.begin(), merged_.end(),
                           [&range](const NumberRange& one) { return one.last < range.first; });
  return it != merged_.end() && it->first <= range.first && range.last <= it->last;
}

std::vector<NumberRange> Uncovered(const std::vector<NumberRange>& before, const NumberSet& now) {
  std::vector<NumberRange> uncovered;
  for (const NumberRange& range : before) {
    if (!now.Covers(range)) uncovered.push_back(range);
  }
  return uncovered;
}

std::string RangeText(const NumberRange& range) {
  return range.first == range.last ? absl::StrCat(range.first)
                                   : absl::StrCat(range.first, " to ", range.last);
}

}  // namespace pinion::compat
