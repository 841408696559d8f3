// tests/fuzz/http2.h at the client role.
#include "tests/fuzz/http2.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {

std::vector<std::string> Seeds() { return Http2Seeds(http2::Role::kClient); }
void Run(absl::string_view input) { RunHttp2(http2::Role::kClient, input); }

}  // namespace pinion::fuzz
