// A YAML tree into a protobuf message, by reflection. Pure; any thread.
//
// As proto-JSON, with three differences: field names are the schema's (snake_case) only, enums are
// names only, and a scalar's type is the schema's, so that text needs no quotes. null, `~` or
// nothing behind a field leaves it unset.
#pragma once

#include <google/protobuf/message.h>

#include "config/errors.h"
#include "config/source_map.h"
#include "config/yaml_tree.h"

namespace pinion::config {

// Fills `message`, notes where each field stands, and adds every error with its place; after one,
// the message is incomplete. REQUIRES: the schema has no google.protobuf.Any or Struct.
void DecodeMessage(const Node& node, google::protobuf::Message& message, SourceMap& source,
                   ErrorList& errors);

}  // namespace pinion::config
