// The start-up configuration: any text, as if it lay beside the files of config/testdata/good.
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "config/load.h"
#include "config/static_routing.h"
#include "gateway/route/table_builder.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {

std::vector<std::string> Seeds() { return {}; }

void Run(absl::string_view input) {
  const std::string filename = "config/testdata/good/fuzz.yaml";
  const auto loaded = config::LoadText(std::string_view(input.data(), input.size()), filename);
  if (!loaded.ok()) {
    CHECK(loaded.status().code() == absl::StatusCode::kInvalidArgument);
    // Each line tells its place, and none holds what would move a terminal's cursor.
    for (const absl::string_view line : absl::StrSplit(loaded.status().message(), '\n')) {
      CHECK(absl::StartsWith(line, filename));
      for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
    return;
  }
  CHECK(absl::StartsWith(config::Summary(*loaded), filename));
  // What was loaded is valid, so it can be routed by.
  const auto resources = config::StaticRouting(loaded->bootstrap);
  CHECK(resources.ok());
  route::TableBuilder builder;
  for (const routing::v1::Resource& resource : *resources) CHECK(builder.Put(resource).ok());
  CHECK(builder.Build() != nullptr);
}

}  // namespace pinion::fuzz
