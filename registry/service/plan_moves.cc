#include "registry/service/plan_moves.h"

#include "absl/strings/match.h"
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

absl::Status PlannedMoves::AddConsumersByDefault(const std::string& channel, const Meaning& before,
                                                 const Meaning& after) {
  PageRequest page{.size = kMaxPage};
  int scanned = 0;
  do {
    ASSIGN_OR_RETURN(const auto consumers, draft_.List<v1::Consumer>(model::kConsumers, page));
    for (const auto& each : consumers.records) {
      const routing::v1::Consumer& consumer = each.value.consumer();
      if (consumer.default_channel() != channel) continue;
      ASSIGN_OR_RETURN(const store::RangeResult pin,
                       draft_.Range({.range = store::KeyRange::Single(
                                         model::PinKey(consumer.name(), service_, "")),
                                     .keys_only = true}));
      if (!pin.kvs.empty()) continue;
      v1::PlannedMove move;
      move.set_consumer(consumer.name());
      move.set_old_expression(absl::StrCat("@", channel));
      move.set_new_expression(move.old_expression());
      move.set_old_version(before(consumer.name()));
      move.set_new_version(after(consumer.name()));
      Add(std::move(move));
    }
    scanned += static_cast<int>(consumers.records.size());
    page.token = consumers.next_token;
  } while (!page.token.empty() && scanned < kMaxConsumersScanned);
  if (!page.token.empty()) {
    gathered_.add_notes(absl::StrCat("only the first ", scanned,
                                     " consumers were looked at for their default channel"));
  }
  return absl::OkStatus();
}

absl::Status PlannedMoves::AddFollowersOf(const std::string& channel, const Meaning& before,
                                          const Meaning& after) {
  RETURN_IF_ERROR(AddConsumersByDefault(channel, before, after));
  ASSIGN_OR_RETURN(const auto service, RequireService(draft_, service_));
  if (PolicyChannel(service.value.service().unpinned()) != channel) return absl::OkStatus();
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
