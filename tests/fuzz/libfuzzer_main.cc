// A target under libFuzzer, which brings main().
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pinion::fuzz::Run(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
