// Where a gateway finds its registry: the address that is followed now, the connection to it, and
// what is known of the others. Owned by Watcher, used on its thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "dial/credentials.h"
#include "gateway/watch/refusal.h"
#include "gateway/watch/registry_choice.h"
#include "gateway/watch/stream.h"
#include "gateway/watch/watch_status.h"

namespace pinion::watch {

class RegistryAddresses {
 public:
  // REQUIRES: an address. Each is shown `credentials`. `random` and `board` outlive this.
  RegistryAddresses(std::vector<std::string> addresses, dial::Credentials credentials,
                    absl::BitGenRef random, StatusBoard& board);

  const std::string& current() const { return choice_.address(); }
  Channel& channel() { return *channel_; }

  // Asks all addresses which registry they lead to: once, or until one answers. `expected`: the
  // only one that is followed; empty: whichever comes first. FailedPrecondition: there would be a
  // choice, and chance is not to make it; `refusal` then tells of it.
  absl::Status Check(const std::string& gateway_id, const std::string& expected, const Clock& clock,
                     Refusal& refusal);
  // The current address has turned out to lead to `registry_id`.
  void Note(const std::string& registry_id, const std::string& expected);
  void ForgetNotes();

  // The stream is good.
  void Good() { choice_.Good(); }
  // The stream has ended: how long to wait before the next one, to current().
  absl::Duration MoveOn(StreamEnd end);
  // The next stream goes there, if that is one of them.
  void Choose(const std::string& address);

 private:
  void Connect(const std::string& before);
  void Warn(const std::string& expected);

  StatusBoard& board_;
  const std::vector<std::string> addresses_;
  const dial::Credentials credentials_;
  RegistryChoice choice_;
  std::unique_ptr<Channel> channel_;            // to choice_.address()
  std::map<std::string, std::string> foreign_;  // addresses of other registries, and their ids
  bool checked_ = false;
};

}  // namespace pinion::watch
