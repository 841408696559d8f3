// Protocol Buffers on the wire, without chance: the default serializer writes map entries in an
// order that differs from one message to the next.
#pragma once

#include <string>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace pinion {

// The same bytes for the same message, in every process of one protobuf version.
std::string DeterministicBytes(const google::protobuf::Message& message);

}  // namespace pinion
