#include "gateway/route/consumer_builder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "gateway/limits.h"
#include "gateway/route/refusal.h"
#include "registry/version/names.h"

namespace pinion::route {
namespace {

using Identities = std::vector<std::pair<IdentityKind, std::string>>;

absl::Status CheckValue(absl::string_view value) {
  const bool good = !value.empty() && value.size() <= limits::kMaxIdentityBytes &&
                    value.find('\0') == absl::string_view::npos;
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("an identity must have 1 to ", limits::kMaxIdentityBytes,
                   " bytes, none of them NUL, unlike `", Printable(value), "`"));
}

absl::StatusOr<std::string> ApiKey(absl::string_view hex) {
  std::string key = absl::AsciiStrToLower(hex);
  if (key.size() == 64 && std::all_of(key.begin(), key.end(), absl::ascii_isxdigit)) return key;
  return absl::InvalidArgumentError(
      absl::StrCat("api_key_sha256 must be the 64 hex digits of the key's SHA-256, unlike `",
                   Printable(hex), "`"));
}

absl::StatusOr<std::pair<IdentityKind, std::string>> Parse(const routing::v1::Identity& identity) {
  switch (identity.identity_case()) {
    case routing::v1::Identity::kSpiffeUri:
      RETURN_IF_ERROR(CheckValue(identity.spiffe_uri()));
      return std::pair(IdentityKind::kSpiffe, identity.spiffe_uri());
    case routing::v1::Identity::kDnsSan:
      RETURN_IF_ERROR(CheckValue(identity.dns_san()));
      return std::pair(IdentityKind::kDnsSan, absl::AsciiStrToLower(identity.dns_san()));
    case routing::v1::Identity::kJwt:
      RETURN_IF_ERROR(CheckValue(identity.jwt().issuer()));
      RETURN_IF_ERROR(CheckValue(identity.jwt().subject()));
      return std::pair(IdentityKind::kJwt,
                       JwtIdentity(identity.jwt().issuer(), identity.jwt().subject()));
    case routing::v1::Identity::kApiKeySha256: {
      ASSIGN_OR_RETURN(std::string key, ApiKey(identity.api_key_sha256()));
      return std::pair(IdentityKind::kApiKey, std::move(key));
    }
    case routing::v1::Identity::kTrustedHeader:
      RETURN_IF_ERROR(CheckValue(identity.trusted_header()));
      return std::pair(IdentityKind::kHeader, identity.trusted_header());
    default:
      return absl::InvalidArgumentError(
          "an identity is empty; set spiffe_uri, dns_san, jwt, api_key_sha256 or trusted_header");
  }
}

bool HasHeader(const Identities& identities) {
  return std::any_of(identities.begin(), identities.end(),
                     [](const auto& i) { return i.first == IdentityKind::kHeader; });
}

}  // namespace

absl::Status ConsumerBuilder::CheckFree(const Identities& identities,
                                        absl::string_view name) const {
  for (const auto& [kind, value] : identities) {
    const std::optional<Consumer> owner =
        kind == IdentityKind::kHeader ? index_.FindByHeader(value) : index_.Find(kind, value);
    if (owner && owner->name != name) {
      return absl::AlreadyExistsError(
          absl::StrCat("identity `", Printable(value), "` of consumer `", name,
                       "` belongs to consumer `", owner->name, "`; remove it there first"));
    }
  }
  if (HasHeader(identities) || identities_of_.empty()) return absl::OkStatus();
  const std::optional<Consumer> owner = index_.Find(IdentityKind::kHeader, name);
  if (!owner || owner->name == name) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("the name of consumer `", name, "` is a trusted-header identity of consumer `",
                   owner->name, "`; remove it there first, or give `", name, "` another"));
}

absl::Status ConsumerBuilder::Put(const routing::v1::Consumer& consumer) {
  if (consumer.name().empty() || consumer.name().size() > version::kMaxConsumerNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a consumer's name must have 1 to ",
                                                   version::kMaxConsumerNameBytes, " bytes"));
  }
  if (!consumer.default_channel().empty()) {
    RETURN_IF_ERROR(version::ValidateChannelName(consumer.default_channel()));
  }
  Identities identities;
  for (const routing::v1::Identity& identity : consumer.identities()) {
    ASSIGN_OR_RETURN(auto parsed, Parse(identity));
    if (std::find(identities.begin(), identities.end(), parsed) == identities.end()) {
      identities.push_back(std::move(parsed));
    }
  }
  RETURN_IF_ERROR(CheckFree(identities, consumer.name()));

  const uint32_t header = HasHeader(identities) ? ConsumerIndex::kHasHeaderIdentity : 0;
  const uint32_t channel = ChannelNumber(consumer.default_channel());
  const CowNames::Numbers numbers = Intern(consumer.name());
  if ((numbers.value & ConsumerIndex::kRegistered) == 0) ++index_.size_;
  numbers.value = ConsumerIndex::kRegistered | header | channel;
  const uint32_t id = numbers.id;
  DropIdentities(id);
  for (const auto& [kind, value] : identities) {
    index_.names_.Put(static_cast<char>(kind), {id, 0, value, consumer.name()});
  }
  if (!identities.empty()) identities_of_[id] = std::move(identities);
  return absl::OkStatus();
}

void ConsumerBuilder::Delete(absl::string_view name) {
  const auto entry = index_.names_.Find(ConsumerIndex::kName, name);
  if (!entry || (entry->value & ConsumerIndex::kRegistered) == 0) return;
  --index_.size_;
  DropIdentities(entry->id);
  index_.names_.Put(ConsumerIndex::kName, {entry->id, 0, name, ""});
  Collect(name);
}

std::optional<uint32_t> ConsumerBuilder::Find(absl::string_view name) const {
  const auto entry = index_.names_.Find(ConsumerIndex::kName, name);
  if (!entry) return std::nullopt;
  return entry->id;
}

uint32_t ConsumerBuilder::AcquireForPin(absl::string_view name) {
  // Only looked up if it is there, so that a pin's change copies no page of names.
  const std::optional<uint32_t> known = Find(name);
  const uint32_t id = known ? *known : Intern(name).id;
  ++pins_of_[id];
  return id;
}

void ConsumerBuilder::ReleasePin(absl::string_view name) {
  --pins_of_[*Find(name)];
  Collect(name);
}

void ConsumerBuilder::Collect(absl::string_view name) {
  const auto entry = index_.names_.Find(ConsumerIndex::kName, name);
  if (pins_of_[entry->id] != 0 || (entry->value & ConsumerIndex::kRegistered) != 0) return;
  free_numbers_.push_back(entry->id);
  index_.names_.Erase(ConsumerIndex::kName, name);
}

CowNames::Numbers ConsumerBuilder::Intern(absl::string_view name) {
  const bool reuse = !free_numbers_.empty();
  const uint32_t id = reuse ? free_numbers_.back() : static_cast<uint32_t>(pins_of_.size());
  const CowNames::Numbers numbers = index_.names_.Intern(ConsumerIndex::kName, name, id);
  if (!numbers.added) return numbers;
  if (reuse) {
    free_numbers_.pop_back();
  } else {
    pins_of_.push_back(0);
  }
  return numbers;
}

uint32_t ConsumerBuilder::ChannelNumber(const std::string& channel) {
  if (channel.empty()) return 0;
  const std::vector<std::string>& known = *index_.channel_names_;
  const auto it = std::find(known.begin(), known.end(), channel);
  if (it != known.end()) return static_cast<uint32_t>(it - known.begin());
  auto more = std::make_shared<std::vector<std::string>>(known);
  more->push_back(channel);
  const size_t number = more->size() - 1;
  index_.channel_names_ = std::move(more);
  return static_cast<uint32_t>(number);
}

void ConsumerBuilder::DropIdentities(uint32_t consumer) {
  const auto it = identities_of_.find(consumer);
  if (it == identities_of_.end()) return;
  for (const auto& [kind, value] : it->second) index_.names_.Erase(static_cast<char>(kind), value);
  identities_of_.erase(it);
}

ConsumerIndex ConsumerBuilder::Freeze() {
  ConsumerIndex frozen;
  frozen.size_ = index_.size_;
  frozen.names_ = index_.names_.Freeze();
  frozen.channel_names_ = index_.channel_names_;
  return frozen;
}

}  // namespace pinion::route
