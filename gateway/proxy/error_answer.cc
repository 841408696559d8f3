#include "gateway/proxy/error_answer.h"

#include <cstdint>

namespace pinion::proxy {

void SendError(const CallError& error, bool grpc, http2::Session& session, http2::Stream& stream,
               BodyPipe& answer) {
  http2::HeaderBlock block;
  if (grpc) {
    AddTrailersOnly(error, block);
    session.SendHeaders(stream, block.fields(), true);
    return answer.MarkDone();
  }
  const HttpBody body = HttpBodyOf(error);
  AddHttpHeaders(error, body, block);
  session.SendHeaders(stream, block.fields(), false);
  answer.Push(http2::Bytes(reinterpret_cast<const uint8_t*>(body.text.data()), body.text.size()),
              true);
}

}  // namespace pinion::proxy
