// The slots of a route table's CowSlots: pins and identities in as few bytes as will do, since
// there are a million of them. Values.
#pragma once

#include <cstdint>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace pinion::route {

// (consumer, service, method) → number of the expression in its service. Consumers are numbered
// from 1.
struct PinSlot {
  uint32_t consumer = 0;
  uint32_t service = 0;
  uint16_t method = 0;  // 0: the whole service
  uint16_t expression = 0;

  bool empty() const { return consumer == 0; }
  static uint64_t HashOf(uint32_t consumer, uint32_t service, uint16_t method) {
    return absl::HashOf(consumer, service, method);
  }
  uint64_t Hash() const { return HashOf(consumer, service, method); }
  bool SameKey(const PinSlot& other) const {
    return consumer == other.consumer && service == other.service && method == other.method;
  }
};

// The same key → how soon streams on another version must end.
struct DrainSlot {
  uint32_t consumer = 0;
  uint32_t service = 0;
  uint32_t method = 0;
  uint32_t seconds = 0;

  bool empty() const { return consumer == 0; }
  uint64_t Hash() const {
    return PinSlot::HashOf(consumer, service, static_cast<uint16_t>(method));
  }
  bool SameKey(const DrainSlot& other) const {
    return consumer == other.consumer && service == other.service && method == other.method;
  }
};

// kName: not an identity, but the consumer's own name.
enum class IdentityKind : char {
  kName = 'n',
  kHeader = 'h',
  kSpiffe = 's',
  kDnsSan = 'd',
  kJwt = 'j',
  kApiKey = 'k'
};

// An identity, or with kName the name of a consumer → its record, numbered from 1: the consumer's
// for a name, else the identity's own.
struct IdentitySlot {
  uint32_t hash_low = 0;
  uint32_t hash_high = 0;
  uint32_t record = 0;

  bool empty() const { return record == 0; }
  uint64_t Hash() const { return static_cast<uint64_t>(hash_high) << 32 | hash_low; }
  static uint64_t HashOf(IdentityKind kind, absl::string_view value) {
    return absl::HashOf(static_cast<char>(kind), value);
  }
  static IdentitySlot Of(uint64_t hash, bool is_name, uint32_t id) {
    return {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32),
            is_name ? id | kNameBit : id};
  }
  bool is_name() const { return (record & kNameBit) != 0; }
  uint32_t id() const { return record & ~kNameBit; }

  static constexpr uint32_t kNameBit = 1u << 31;
};

}  // namespace pinion::route
