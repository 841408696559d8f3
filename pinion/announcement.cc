#include "pinion/announcement.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "gateway/net/endpoint.h"

namespace pinion {

void Announcement::Line(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  out_ << line << std::endl;
}

void Announcement::Listeners(const std::vector<worker::BoundListener>& listeners) {
  for (const worker::BoundListener& listener : listeners) {
    Line(absl::StrCat("listening name=", listener.name,
                      " address=", net::ToString(listener.endpoint)));
  }
}

void Announcement::AddressesSaid() {
  absl::MutexLock lock(&mutex_);
  addresses_said_ = true;
  SayReadyIfDue();
}

void Announcement::Ready() {
  absl::MutexLock lock(&mutex_);
  ready_ = true;
  SayReadyIfDue();
}

void Announcement::SayReadyIfDue() {
  if (addresses_said_ && ready_) out_ << "ready" << std::endl;
}

}  // namespace pinion
