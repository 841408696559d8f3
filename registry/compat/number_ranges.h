// Reserved numbers. Values; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace pinion::compat {

// Both ends belong to it.
struct NumberRange {
  int64_t first = 0;
  int64_t last = 0;
};

// As declared.
std::vector<NumberRange> ReservedRanges(const google::protobuf::DescriptorProto& message);
std::vector<NumberRange> ReservedRanges(const google::protobuf::EnumDescriptorProto& type);

// The numbers of some ranges, those that overlap or touch as one. Questions take a binary search.
class NumberSet {
 public:
  explicit NumberSet(std::vector<NumberRange> ranges);

  bool Contains(int64_t number) const { return Covers({number, number}); }
  // All of it.
  bool Covers(const NumberRange& range) const;

 private:
  std::vector<NumberRange> merged_;  // sorted, with a gap between each two
};

// Those of `before` of which `now` lacks some numbers.
std::vector<NumberRange> Uncovered(const std::vector<NumberRange>& before, const NumberSet& now);

std::string RangeText(const NumberRange& range);  // "7", "7 to 9"

}  // namespace pinion::compat
