#include "registry/probe/contact.h"

#include <grpcpp/support/status.h>

#include "absl/strings/ascii.h"

namespace pinion::probe {
namespace {

constexpr size_t kMaxQuotedBytes = 160;

}  // namespace

void RunningCalls::CancelAll() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
}

void RunningCalls::Add(grpc::ClientContext* call) {
  MutexLock lock(&mutex_);
  if (cancelled_) call->TryCancel();
  calls_.insert(call);
}

void RunningCalls::Remove(grpc::ClientContext* call) {
  MutexLock lock(&mutex_);
  calls_.erase(call);
}

Steps::Steps(const Contact& contact) : running_(contact.running) {
  context_.set_deadline(absl::ToChronoTime(contact.deadline));
  running_.Add(&context_);
}

Steps::~Steps() {
  // Whoever still sends is not listened to any more.
  context_.TryCancel();
  running_.Remove(&context_);
  queue_.Shutdown();
  void* tag = nullptr;
  bool done = false;
  while (queue_.Next(&tag, &done)) {
  }
}

bool Steps::Wait() {
  void* tag = nullptr;
  bool done = false;
  return queue_.Next(&tag, &done) && done;
}

std::string Quoted(absl::string_view words) {
  std::string quoted(words.substr(0, kMaxQuotedBytes));
  for (char& c : quoted) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  if (words.size() > kMaxQuotedBytes) quoted += "…";
  return quoted;
}

absl::Status ToStatus(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace pinion::probe
