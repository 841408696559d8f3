// From the text of an expression to the version that it means for one service. Private to
// gateway/route.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/route/entries.h"

namespace pinion::route {

// What `text` means for `service`, whose versions and channels are complete. `recorded`, when not
// null, is the registry's resolution of this expression and decides for a range (empty: nothing
// matches); an exact name and a channel mean what they say. Never null.
std::shared_ptr<const ExpressionEntry> CompileExpression(const ServiceEntry& service,
                                                         absl::string_view text,
                                                         const std::string* recorded);

}  // namespace pinion::route
