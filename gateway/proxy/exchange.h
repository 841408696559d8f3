// One request and its answer as the downstream connection sees it: a Call to an instance, or a
// BuiltinExchange with the gateway itself.
#pragma once

#include <cstddef>

#include "gateway/http2/session.h"

namespace pinion::proxy {

class Exchange {
 public:
  // What the downstream session has to say of the stream after its headers.
  virtual void OnDownstreamEvent(const http2::Event& event) = 0;
  // The answer's SendData() was cut short and can go on.
  virtual void OnDownstreamWritable() = 0;
  // Memory that waits for either side, in bytes.
  virtual size_t held_bytes() const = 0;
  // Ends at once with an answer that says so: its memory is needed. Nothing when it has ended.
  virtual void EndForMemory() = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace pinion::proxy
