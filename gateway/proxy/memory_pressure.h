// How short the process's memory is, and what a worker does about it. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinion::proxy {

// Each does what the ones before it do as well.
enum class MemoryStage : uint8_t {
  kPlenty,
  kEndIdle,      // connections without calls are asked to go
  kRefuseCalls,  // new calls end with RESOURCE_EXHAUSTED; the gateway's own services answer
  kEndLargest,   // calls and connections that hold most end, and no connection is accepted
};

struct MemoryPressure {
  MemoryStage stage = MemoryStage::kPlenty;
  size_t give_back = 0;  // bytes that calls and connections are to end for, the largest first
};

// Of a process that uses `used` bytes of `budget`, above 0. What is to be given back brings it down
// to where calls are taken again.
MemoryPressure JudgeMemory(size_t used, size_t budget);

}  // namespace pinion::proxy
