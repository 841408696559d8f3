#include "src/notices.h"

#include <iomanip>
#include <iostream>
#include <sstream>

namespace pinion::client {
namespace {

constexpr size_t kToldMax = 1024;  // then all are forgotten, and told again

std::string Date(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  std::ostringstream out;
  out << std::put_time(&parts, "%Y-%m-%dT%H:%M:%SZ");
  return out.str();
}

std::string Line(const Notice& notice) {
  std::string line = "calls of " + notice.grpc_service + " are answered by version " +
                     notice.version + ", which is deprecated";
  if (notice.deprecated) line += " since " + Date(*notice.deprecated);
  if (notice.sunset) line += " and ends on " + Date(*notice.sunset);
  if (!notice.link.empty()) line += "; see " + notice.link;
  return line;
}

}  // namespace

Notices::Notices(Notify notify, Log log) : notify_(std::move(notify)), log_(std::move(log)) {}

void Notices::Tell(const Notice& notice) {
  const std::string line = Line(notice);
  {
    const std::lock_guard lock(mutex_);
    if (told_.size() >= kToldMax && !told_.contains(line)) told_.clear();
    if (!told_.insert(line).second) return;
  }
  if (log_) {
    log_(line);
  } else {
    std::cerr << line + "\n";
  }
  if (notify_) notify_(notice);
}

}  // namespace pinion::client
