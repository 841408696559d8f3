// sample: gateway/route/x.h expects nothing
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "pinion/routing/v1/routing.pb.h"
#include "registry/version/expression.h"

namespace pinion::route {

// TODO(#12) says which issue. Words such as throw, new, volatile and sleep(1) are free in comments.
class Table {
 public:
  Table(const Table&) = delete;
  static std::unique_ptr<Table> Make() { return std::unique_ptr<Table>(new Table()); }
  int timeout() const { return asleep(1) + cache.time(0); }

 private:
  Table();
  const char* text_ = "using namespace std; throw; /home/ is not a user";
};

}  // namespace pinion::route
