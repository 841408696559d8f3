// A header block in one piece of memory, for as long as a call is open: a third of what a
// HeaderBlock takes, which is made for being filled. Owned by one call; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/http2/header_block.h"
#include "gateway/http2/header_field.h"

namespace pinion::http2 {

class PackedHeaders {
 public:
  // Takes the texts of the block's fields over: those are views into this from now on. Uses the
  // memory that it has where that is enough, and then allocates nothing.
  void Take(HeaderBlock& block);

  // Appends the fields, as views into this.
  void AddTo(std::vector<HeaderField>& fields) const;

  // Forgets them; keeps what memory a request with a token needs.
  void Clear();

 private:
  std::unique_ptr<char[]> memory_;
  uint32_t capacity_ = 0;
  uint32_t bytes_ = 0;
};

}  // namespace pinion::http2
