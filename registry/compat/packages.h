// What a package's name says of its stability. Pure.
#pragma once

#include "absl/strings/string_view.h"

namespace pinion::compat {

// Whether its last part is one of vNalpha[M], vNbeta[M], vNpMalpha[K], vNpMbeta[K] and vNtest…
bool IsUnstablePackage(absl::string_view package);

}  // namespace pinion::compat
