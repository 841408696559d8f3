// The slots of a route table's CowSlots: pins and their drains in as few bytes as will do, since
// there are a million of them. Values.
#pragma once

#include <cstdint>

#include "absl/hash/hash.h"

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

}  // namespace pinion::route
