// tests/fuzz/http2.h at the server role.
#include "tests/fuzz/http2.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {

std::vector<std::string> Seeds() { return Http2Seeds(http2::Role::kServer); }
void Run(absl::string_view input) { RunHttp2(http2::Role::kServer, input); }

}  // namespace pinion::fuzz
