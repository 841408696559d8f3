// A CallError as the whole answer of a call whose caller has heard nothing yet.
#pragma once

#include "gateway/http2/session.h"
#include "gateway/proxy/body_pipe.h"
#include "gateway/proxy/errors.h"

namespace pinion::proxy {

// Trailers-Only to a caller that speaks `grpc`, else an HTTP status with a body, which goes through
// `answer`; that is the pipe to `stream`, a stream of `session`, and has its end now.
void SendError(const CallError& error, bool grpc, http2::Session& session, http2::Stream& stream,
               BodyPipe& answer);

}  // namespace pinion::proxy
