// How many calls of each method of the registry's API ended with which code. Only methods that
// there are, so that callers cannot make up series. Thread-safe; owned by RegistryServer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"

namespace pinion::service {

class CallCounts {
 public:
  // Method ("pinion.registry.v1.Registry/SetPin"), and gRPC's number of the code.
  using Key = std::pair<std::string, int>;

  void Add(const std::string& method, int code) {
    MutexLock lock(&mutex_);
    ++counts_[{method, code}];
  }

  std::map<Key, int64_t> All() {
    MutexLock lock(&mutex_);
    return counts_;
  }

 private:
  Mutex mutex_;
  std::map<Key, int64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pinion::service
