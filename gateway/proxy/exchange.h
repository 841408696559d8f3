// One request and its answer as the downstream connection sees it: a Call to an instance, or a
// BuiltinExchange with the gateway itself.
#pragma once

#include "gateway/http2/session.h"

namespace pinion::proxy {

class Exchange {
 public:
  // What the downstream session has to say of the stream after its headers.
  virtual void OnDownstreamEvent(const http2::Event& event) = 0;
  // The answer's SendData() was cut short and can go on.
  virtual void OnDownstreamWritable() = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace pinion::proxy
