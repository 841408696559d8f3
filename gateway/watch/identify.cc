#include "gateway/watch/identify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/watch/mailbox.h"
#include "gateway/watch/stream.h"

namespace pinion::watch {
namespace {

// The beginning of one watch, for the sake of the id that its first message has.
class Question {
 public:
  Question(const std::string& address, const dial::Credentials& credentials,
           const std::string& gateway_id)
      : channel_(address, credentials) {
    registry::v1::WatchRequest request;
    request.set_gateway_id(gateway_id);
    stream_ = channel_.Begin(request, mailbox_);
  }

  // Empty: it has not said it by then, or nobody is there.
  std::string Answer(absl::Time until, const Clock& clock) {
    std::string id;
    bool cancelled = false;
    const auto cancel = [&] {
      if (!std::exchange(cancelled, true)) stream_->Cancel();
    };
    while (true) {
      const absl::Duration wait = std::max(until - clock.Monotonic(), absl::ZeroDuration());
      const std::optional<Event> event =
          mailbox_->Wait(cancelled ? absl::InfiniteDuration() : wait);
      if (event && event->kind == Event::Kind::kStreamEnded) break;
      if (event) {
        if (id.empty()) id = event->message.registry_id();
        stream_->Next();
      }
      cancel();
    }
    stream_.reset();
    return id;
  }

 private:
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Channel channel_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace

std::map<std::string, std::string> Identify(const std::vector<std::string>& addresses,
                                            const dial::Credentials& credentials,
                                            const std::string& gateway_id, absl::Duration timeout,
                                            const Clock& clock) {
  const absl::Time until = clock.Monotonic() + timeout;
  std::vector<std::unique_ptr<Question>> questions;
  for (const std::string& address : addresses) {
    questions.push_back(std::make_unique<Question>(address, credentials, gateway_id));
  }
  std::map<std::string, std::string> ids;
  for (size_t i = 0; i < addresses.size(); ++i) {
    std::string id = questions[i]->Answer(until, clock);
    if (!id.empty()) ids[addresses[i]] = std::move(id);
  }
  return ids;
}

}  // namespace pinion::watch
