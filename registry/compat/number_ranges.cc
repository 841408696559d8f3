#include "registry/compat/number_ranges.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pinion::compat {
namespace {

// Sorted, with what overlaps or touches made one.
std::vector<NumberRange> Merged(std::vector<NumberRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const NumberRange& a, const NumberRange& b) { return a.first < b.first; });
  std::vector<NumberRange> merged;
  for (const NumberRange& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace

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

bool Contains(const std::vector<NumberRange>& ranges, int64_t number) {
  return std::any_of(ranges.begin(), ranges.end(), [number](const NumberRange& range) {
    return range.first <= number && number <= range.last;
  });
}

std::vector<NumberRange> Uncovered(const std::vector<NumberRange>& before,
                                   std::vector<NumberRange> now) {
  const std::vector<NumberRange> merged = Merged(std::move(now));
  std::vector<NumberRange> uncovered;
  for (const NumberRange& range : before) {
    const bool covered =
        std::any_of(merged.begin(), merged.end(), [&range](const NumberRange& cover) {
          return cover.first <= range.first && range.last <= cover.last;
        });
    if (!covered) uncovered.push_back(range);
  }
  return uncovered;
}

std::string RangeText(const NumberRange& range) {
  return range.first == range.last ? absl::StrCat(range.first)
                                   : absl::StrCat(range.first, " to ", range.last);
}

}  // namespace pinion::compat
