#include "gateway/proxy/memory_pressure.h"

#include "gateway/memory_limits.h"

namespace pinion::proxy {

MemoryPressure JudgeMemory(size_t used, size_t budget) {
  const auto above = [&](double share) {
    return static_cast<double>(used) >= share * static_cast<double>(budget);
  };
  if (above(limits::kMemoryEndLargest)) {
    const auto enough =
        static_cast<size_t>(limits::kMemoryRefuseCalls * static_cast<double>(budget));
    return {.stage = MemoryStage::kEndLargest, .give_back = used - enough};
  }
  if (above(limits::kMemoryRefuseCalls)) return {.stage = MemoryStage::kRefuseCalls};
  if (above(limits::kMemoryEndIdle)) return {.stage = MemoryStage::kEndIdle};
  return {};
}

}  // namespace pinion::proxy
