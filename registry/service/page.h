// Pages of a list: what is asked for, and what comes of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/service/codec.h"

namespace pinion::service {

template <typename Record>
struct Page {
  std::vector<Stored<Record>> records;
  std::string next_token;  // empty: the last page
};

struct PageRequest {
  int32_t size = 0;   // 0: kDefaultPage; at most kMaxPage
  std::string token;  // the last page's next_token
  bool newest_first = false;
};
inline constexpr int32_t kDefaultPage = 100;
inline constexpr int32_t kMaxPage = 1000;

}  // namespace pinion::service
