#include "tests/conformance/peers/message_flags.h"

#include <cstdint>

#include "grpc/impl/codegen/grpc_types.h"

// Of libgrpc; its declaration is in gRPC's sources, in call_test_only.h.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace pinion::interop {

bool LastMessageWasCompressed(grpc_call* call) {
  // GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED: what is left of the flag after decompression.
  constexpr uint32_t kWasCompressed = 0x40000000u;
  return (grpc_call_test_only_get_message_flags(call) & kWasCompressed) != 0;
}

}  // namespace pinion::interop
