#include "gateway/watch/registry_addresses.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/watch/identify.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

// "127.0.0.1:8081 is REGISTRY, …"
std::string Ids(const std::map<std::string, std::string>& ids) {
  return absl::StrJoin(ids, ", ", absl::PairFormatter(" is "));
}

}  // namespace

RegistryAddresses::RegistryAddresses(std::vector<std::string> addresses,
                                     dial::Credentials credentials, absl::BitGenRef random,
                                     StatusBoard& board)
    : board_(board),
      addresses_(std::move(addresses)),
      credentials_(std::move(credentials)),
      choice_(addresses_, random),
      channel_(std::make_unique<Channel>(choice_.address(), credentials_)) {}

absl::Status RegistryAddresses::Check(const std::string& gateway_id, const std::string& expected,
                                      const Clock& clock, Refusal& refusal) {
  if (checked_ || addresses_.size() == 1) return absl::OkStatus();
  const std::map<std::string, std::string> ids =
      Identify(addresses_, credentials_, gateway_id, limits::kWatchIdentifyMax, clock);
  std::set<std::string> registries;
  for (const auto& [address, id] : ids) registries.insert(id);
  if (expected.empty() && registries.size() > 1) {
    refusal = {.reason = RefusalReason::kOtherRegistry,
               .registry_ids = {registries.begin(), registries.end()},
               .address = ""};
    return absl::FailedPreconditionError(
        absl::StrCat("the registry's addresses lead to several registries (", Ids(ids),
                     "), and this gateway has followed none of them yet: name the addresses of "
                     "one"));
  }
  checked_ = !ids.empty() || !expected.empty();
  if (expected.empty()) return absl::OkStatus();
  for (const auto& [address, id] : ids) {
    if (id != expected) foreign_[address] = id;
  }
  Warn(expected);
  return absl::OkStatus();
}

void RegistryAddresses::Note(const std::string& registry_id, const std::string& expected) {
  if (addresses_.size() == 1) return;
  if (registry_id == expected) {
    foreign_.erase(current());
  } else {
    foreign_[current()] = registry_id;
  }
  Warn(expected);
}

void RegistryAddresses::ForgetNotes() {
  foreign_.clear();
  board_.Warn("");
}

void RegistryAddresses::Warn(const std::string& expected) {
  board_.Warn(foreign_.empty()
                  ? ""
                  : absl::StrCat("not all addresses of the registry lead to ", expected,
                                 ", which this gateway follows: ", Ids(foreign_),
                                 "; correct the addresses"));
}

absl::Duration RegistryAddresses::MoveOn(StreamEnd end) {
  const std::string before = current();
  const absl::Duration wait = choice_.Next(end);
  Connect(before);
  return wait;
}

void RegistryAddresses::Choose(const std::string& address) {
  const std::string before = current();
  choice_.Choose(address);
  Connect(before);
}

void RegistryAddresses::Connect(const std::string& before) {
  if (current() == before) return;
  channel_ = std::make_unique<Channel>(current(), credentials_);
  board_.Update([](WatchStatus& now) { ++now.moves; });
}

}  // namespace pinion::watch
