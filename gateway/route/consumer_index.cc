#include "gateway/route/consumer_index.h"

#include "absl/strings/str_cat.h"

namespace pinion::route {

Consumer ConsumerIndex::View(const CowNames::Entry& entry) const {
  return {entry.id, entry.name, (*channel_names_)[entry.value & kChannelMask]};
}

std::optional<Consumer> ConsumerIndex::Find(IdentityKind kind, absl::string_view value) const {
  const auto identity = names_.Find(static_cast<char>(kind), value);
  if (!identity) return std::nullopt;
  return View(*names_.Find(kName, identity->text));
}

std::optional<Consumer> ConsumerIndex::FindByHeader(absl::string_view value) const {
  if (const auto consumer = names_.Find(kName, value); consumer.has_value()) {
    const uint32_t flags = consumer->value & (kRegistered | kHasHeaderIdentity);
    if (flags == kRegistered) return View(*consumer);
  }
  return Find(IdentityKind::kHeader, value);
}

std::string JwtIdentity(absl::string_view issuer, absl::string_view subject) {
  return absl::StrCat(issuer, absl::string_view("\0", 1), subject);
}

}  // namespace pinion::route
