// Reserved numbers as ranges. Values; pure.
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

std::vector<NumberRange> ReservedRanges(const google::protobuf::DescriptorProto& message);
std::vector<NumberRange> ReservedRanges(const google::protobuf::EnumDescriptorProto& type);

bool Contains(const std::vector<NumberRange>& ranges, int64_t number);

// Those of `before` that `now` does not cover whole, as far as overlapping and adjacent ranges may
// do so together.
std::vector<NumberRange> Uncovered(const std::vector<NumberRange>& before,
                                   std::vector<NumberRange> now);

std::string RangeText(const NumberRange& range);  // "7", "7 to 9"

}  // namespace pinion::compat
