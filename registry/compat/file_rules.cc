// Rules about files.
#include "absl/strings/str_cat.h"
#include "registry/compat/element_rules.h"

namespace pinion::compat {

void FileSamePackage(const Pair<File>& pair, Reporter& report) {
  const std::string& before = pair.before.proto->package();
  const std::string& now = pair.now.proto->package();
  if (before == now) return;
  report.AddAs(before, pair.before, pair.now,
               PlaceAt(pair.now, {google::protobuf::FileDescriptorProto::kPackageFieldNumber}),
               absl::StrCat("the file's package was \"", before, "\" and is now \"", now,
                            "\": its methods have other paths, and old clients find none of them"));
}

}  // namespace pinion::compat
