// Tells each different notice once. Any thread.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "pinion/client/response.h"

namespace pinion::client {

class Notices {
 public:
  using Notify = std::function<void(const Notice&)>;
  using Log = std::function<void(const std::string& line)>;

  // Either may be empty: no callback; lines to standard error.
  Notices(Notify notify, Log log);

  void Tell(const Notice& notice);

 private:
  const Notify notify_;
  const Log log_;
  std::mutex mutex_;
  std::set<std::string> told_;  // by line; guarded by mutex_
};

}  // namespace pinion::client
