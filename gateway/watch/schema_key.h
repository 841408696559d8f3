// A version whose schema reflection needs; versions with the same digest have the same schema. A
// value.
#pragma once

#include <string>

namespace pinion::watch {

struct SchemaKey {
  std::string service;
  std::string version;
  std::string digest;
};

}  // namespace pinion::watch
