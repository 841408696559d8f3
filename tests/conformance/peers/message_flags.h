// Whether the last message that a call received was compressed on the wire. gRPC C++ decompresses
// unseen and has no public way to ask; its own interoperability tests use the same function, which
// the library exports and no header declares.
#pragma once

struct grpc_call;

namespace pinion::interop {

bool LastMessageWasCompressed(grpc_call* call);

}  // namespace pinion::interop
