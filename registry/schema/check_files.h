// Whether a set of files is whole: everything named is there, once, under names that the language
// allows, and no index leads out of its list. Whatever reads descriptors of strangers relies on it.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace pinion::schema {

struct Finding {
  std::string subject;  // a file, a message's full name, a method …
  std::string description;
};

struct SetCheck {
  std::vector<std::string> missing_imports;  // file names, sorted
  std::vector<Finding> contradictions;
};

// At most some dozens of findings: the first ones say enough.
SetCheck CheckFiles(const google::protobuf::FileDescriptorSet& files);

}  // namespace pinion::schema
