// SchemaDigest. Pure.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace pinion::schema {

// Of `roots` (file names) and all that they import. REQUIRES: `files` holds all imports, each file
// once.
std::string DigestOfClosure(const google::protobuf::FileDescriptorSet& files,
                            const std::vector<std::string>& roots);

// What protoc fills in for a field's json_name: lower camel case.
std::string JsonName(const std::string& field_name);

}  // namespace pinion::schema
