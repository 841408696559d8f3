// Which registries several addresses lead to. A gateway that starts without a recording follows
// whichever registry answers first; where its addresses lead to two, chance would decide for each
// gateway of a fleet, so it asks all of them before.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "dial/credentials.h"

namespace pinion::watch {

// The registries' ids by address, of those that say theirs within `timeout`. Blocks for so long at
// most, and until gRPC has ended what did not answer.
std::map<std::string, std::string> Identify(const std::vector<std::string>& addresses,
                                            const dial::Credentials& credentials,
                                            const std::string& gateway_id, absl::Duration timeout,
                                            const Clock& clock);

}  // namespace pinion::watch
