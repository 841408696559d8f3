#include "registry/service/plan_moves.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "registry/model/errors.h"
#include "registry/model/keys.h"
#include "registry/service/lookups.h"

namespace pinion::service {
namespace {

namespace v1 = registry::v1;

// What a person reads of them; all are counted.
constexpr int kNamedMoves = 1000;
// A plan that has to look at more consumers than these says that it has not.
constexpr int kMaxConsumersScanned = 100'000;

// The channel that the service's policy leads callers without a pin by; empty: it refuses them.
std::string PolicyChannel(const routing::v1::UnpinnedPolicy& policy) {
  if (policy.has_reject()) return "";
  const std::string& channel =
      policy.has_pin_on_first_call() ? policy.pin_on_first_call().channel() : policy.channel();
  return channel.empty() ? "stable" : channel;
}

absl::StatusOr<Unpinned> ByChannel(Draft& draft, const std::string& service,
                                   const std::string& channel, const std::string& consumer) {
  Unpinned unpinned;
  unpinned.expression = absl::StrCat("@", channel);
  ASSIGN_OR_RETURN(unpinned.version,
                   ResolvedVersion(draft, service, unpinned.expression, consumer));
  return unpinned;
}

}  // namespace

absl::StatusOr<Unpinned> WithoutPin(Draft& draft, const std::string& service_name,
                                    const std::string& consumer_name) {
  ASSIGN_OR_RETURN(const auto consumer, RequireConsumer(draft, consumer_name));
  const std::string& own = consumer.value.consumer().default_channel();
  if (!own.empty()) {
    ASSIGN_OR_RETURN(const auto channel,
                     draft.Get<v1::Channel>(model::ChannelKey(service_name, own)));
    if (channel.has_value()) return ByChannel(draft, service_name, own, consumer_name);
  }
  ASSIGN_OR_RETURN(const auto service, RequireService(draft, service_name));
  const std::string channel = PolicyChannel(service.value.service().unpinned());
  if (channel.empty()) return Unpinned();
  return ByChannel(draft, service_name, channel, consumer_name);
}

void PlannedMoves::Add(v1::PlannedMove move) {
  const bool stays =
      move.old_version() == move.new_version() && move.old_expression() == move.new_expression();
  if (stays) return;
  gathered_.set_moves_total(gathered_.moves_total() + 1);
  ++pairs_[{move.old_version(), move.new_version()}];
  if (gathered_.moves_size() < kNamedMoves) *gathered_.add_moves() = std::move(move);
}

absl::Status PlannedMoves::AddPinsOn(const std::string& expression,
                                     const std::string& new_expression, const Meaning& before,
                                     const Meaning& after) {
  const std::string prefix = model::PinUsesOf(service_, expression);
  PageRequest page{.size = kMaxPage};
  do {
    ASSIGN_OR_RETURN(const store::RangeResult uses, draft_.PageOf(prefix, page));
    for (const store::KeyValue& kv : uses.kvs) {
      const std::optional<model::PinUse> use = model::ParsePinUse(kv.key);
      if (!use.has_value()) return model::Damaged(kv.key);
      v1::PlannedMove move;
      move.set_consumer(use->consumer);
      move.set_method(use->method);
      move.set_old_expression(expression);
      move.set_new_expression(new_expression);
      move.set_old_version(before(use->consumer));
      move.set_new_version(after(use->consumer));
      Add(std::move(move));
    }
    page.token = uses.more ? uses.kvs.back().key.substr(prefix.size()) : "";
  } while (!page.token.empty());
  return absl::OkStatus();
}

absl::StatusOr<bool> PlannedMoves::HasPin(const std::string& consumer) {
  const std::string key = model::PinKey(consumer, service_, "");
  ASSIGN_OR_RETURN(const store::RangeResult pin,
                   draft_.Range({.range = store::KeyRange::Single(key), .keys_only = true}));
  return !pin.kvs.empty();
}

absl::Status PlannedMoves::AddConsumersWithoutPin(const std::string& channel, bool by_policy,
                                                  const Meaning& before, const Meaning& after) {
  ASSIGN_OR_RETURN(const std::vector<std::string> channels,
                   draft_.NamesUnder(model::ChannelsOf(service_)));
  PageRequest page{.size = kMaxPage};
  int scanned = 0;
  do {
    ASSIGN_OR_RETURN(const auto consumers, draft_.List<v1::Consumer>(model::kConsumers, page));
    for (const auto& each : consumers.records) {
      const std::string& name = each.value.consumer().name();
      const std::string& own = each.value.consumer().default_channel();
      const bool by_default = own == channel;
      const bool has_default =
          !own.empty() && std::find(channels.begin(), channels.end(), own) != channels.end();
      // Else it is one of the callers without a pin, who are told of together.
      const bool by_ramp = before(name) != before("") || after(name) != after("");
      if (!by_default && (has_default || !by_policy || !by_ramp)) continue;
      ASSIGN_OR_RETURN(const bool pinned, HasPin(name));
      if (pinned) continue;
      v1::PlannedMove move;
      move.set_consumer(name);
      move.set_old_expression(absl::StrCat("@", channel));
      move.set_new_expression(move.old_expression());
      move.set_old_version(before(name));
      move.set_new_version(after(name));
      Add(std::move(move));
    }
    scanned += static_cast<int>(consumers.records.size());
    page.token = consumers.next_token;
  } while (!page.token.empty() && scanned < kMaxConsumersScanned);
  if (!page.token.empty()) {
    gathered_.add_notes(
        absl::StrCat("of the consumers without a pin only the first ", scanned, " were looked at"));
  }
  return absl::OkStatus();
}

absl::Status PlannedMoves::AddFollowersOf(const std::string& channel, const Meaning& before,
                                          const Meaning& after) {
  ASSIGN_OR_RETURN(const auto service, RequireService(draft_, service_));
  const bool by_policy = PolicyChannel(service.value.service().unpinned()) == channel;
  RETURN_IF_ERROR(AddConsumersWithoutPin(channel, by_policy, before, after));
  if (!by_policy) return absl::OkStatus();
  v1::PlannedMove move;
  move.set_old_expression(absl::StrCat("@", channel));
  move.set_new_expression(move.old_expression());
  move.set_old_version(before(""));
  move.set_new_version(after(""));
  Add(std::move(move));
  return absl::OkStatus();
}

void PlannedMoves::MoveInto(v1::PlanResponse& response) {
  response.MergeFrom(gathered_);
  gathered_.Clear();
}

}  // namespace pinion::service
