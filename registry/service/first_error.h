// Work of which no part waits for another: what one cannot do, say for a record that is damaged,
// keeps the others from nothing.
#pragma once

#include "absl/status/status.h"

namespace pinion::service {

class FirstError {
 public:
  // Notes what came of one part. False: the store is away, for the others too.
  bool GoOnAfter(const absl::Status& status) {
    first_.Update(status);
    return !absl::IsUnavailable(status);
  }

  const absl::Status& status() const { return first_; }  // OK: there was none

 private:
  absl::Status first_;
};

}  // namespace pinion::service
