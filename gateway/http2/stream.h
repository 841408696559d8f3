// A stream as its user sees it: an id, a place for the user's pointer, and what is still possible.
// Made by Session, lives until Session::Release(). One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/http2/types.h"

namespace pinion::http2 {

class Stream {
 public:
  StreamId id() const { return id_; }

  void* user() const { return user_; }
  void set_user(void* user) { user_ = user; }

  // Nothing more can be received: END_STREAM or a reset was seen.
  bool remote_closed() const { return remote_closed_; }
  // Nothing more can be sent.
  bool local_closed() const { return local_closed_; }
  bool closed() const { return remote_closed_ && local_closed_; }

 protected:
  Stream() = default;
  ~Stream() = default;

  StreamId id_ = 0;
  bool remote_closed_ = false;
  bool local_closed_ = false;
  void* user_ = nullptr;
};

}  // namespace pinion::http2
