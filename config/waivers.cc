#include "config/waivers.h"

#include "absl/strings/str_cat.h"
#include "base/read_file.h"
#include "config/decode.h"
#include "config/errors.h"
#include "config/validate.h"
#include "config/yaml_tree.h"
#include "registry/compat/waivers.h"

namespace pinion::config {

absl::StatusOr<compat::v1::Waivers> ParseWaivers(std::string_view text,
                                                 const std::string& filename) {
  ErrorList errors(filename);
  const NodePtr root = ParseYaml(text, errors);
  if (root == nullptr) return errors.ToStatus();
  compat::v1::Waivers waivers;
  SourceMap source;
  DecodeMessage(*root, waivers, source, errors);
  if (!errors.empty()) return errors.ToStatus();
  Reporter report(source, errors);
  for (int i = 0; i < waivers.waivers_size(); ++i) {
    report.Check(absl::StrCat("waivers[", i, "]"), compat::ValidateWaiver(waivers.waivers(i)));
  }
  if (!errors.empty()) return errors.ToStatus();
  return waivers;
}

absl::StatusOr<compat::v1::Waivers> LoadWaivers(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxYamlBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", text.status().message()));
  }
  return ParseWaivers(*text, path);
}

}  // namespace pinion::config
