#include "gateway/route/consumer_index.h"

#include "absl/strings/str_cat.h"

namespace pinion::route {

std::optional<uint32_t> ConsumerIndex::FindName(absl::string_view name) const {
  const uint64_t hash = IdentitySlot::HashOf(IdentityKind::kName, name);
  const IdentitySlot* slot = slots_.Find(hash, [&](const IdentitySlot& candidate) {
    return candidate.Hash() == hash && candidate.is_name() && names_.Bytes(candidate.id()) == name;
  });
  if (slot == nullptr) return std::nullopt;
  return slot->id();
}

std::optional<uint32_t> ConsumerIndex::FindIdentity(IdentityKind kind,
                                                    absl::string_view value) const {
  const uint64_t hash = IdentitySlot::HashOf(kind, value);
  const IdentitySlot* slot = slots_.Find(hash, [&](const IdentitySlot& candidate) {
    if (candidate.Hash() != hash || candidate.is_name()) return false;
    const absl::string_view bytes = identities_.Bytes(candidate.id());
    return bytes.front() == static_cast<char>(kind) && bytes.substr(1) == value;
  });
  if (slot == nullptr) return std::nullopt;
  return slot->id();
}

Consumer ConsumerIndex::View(uint32_t consumer) const {
  const uint32_t channel = names_.Value(consumer) & kChannelMask;
  return {consumer, names_.Bytes(consumer), (*channel_names_)[channel]};
}

std::optional<Consumer> ConsumerIndex::Find(IdentityKind kind, absl::string_view value) const {
  const std::optional<uint32_t> identity = FindIdentity(kind, value);
  if (!identity) return std::nullopt;
  return View(identities_.Value(*identity));
}

std::optional<Consumer> ConsumerIndex::FindByHeader(absl::string_view value) const {
  if (const std::optional<uint32_t> consumer = FindName(value); consumer.has_value()) {
    const uint32_t flags = names_.Value(*consumer) & (kRegistered | kHasHeaderIdentity);
    if (flags == kRegistered) return View(*consumer);
  }
  return Find(IdentityKind::kHeader, value);
}

size_t ConsumerIndex::MemoryBytes() const {
  return slots_.MemoryBytes() + names_.MemoryBytes() + identities_.MemoryBytes();
}

std::string JwtIdentity(absl::string_view issuer, absl::string_view subject) {
  return absl::StrCat(issuer, absl::string_view("\0", 1), subject);
}

}  // namespace pinion::route
