// A decoded header block: fields in arrival order over an arena of their bytes. Owned by one
// session or one test; one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gateway/http2/header_field.h"

namespace pinion::http2 {

class HeaderBlock {
 public:
  HeaderBlock() = default;
  HeaderBlock(HeaderBlock&&) = default;
  HeaderBlock& operator=(HeaderBlock&&) = default;

  // Copies a field's texts into the arena, and looks up its name. Views handed out earlier stay
  // valid.
  void Add(absl::string_view name, absl::string_view value) { Add({name, value}); }
  void Add(const HeaderField& field);

  // Forgets all fields; keeps the first chunk of memory for the next block.
  void Clear();

  absl::Span<const HeaderField> fields() const { return fields_; }

  // The first field of this name, which is not kOther, or null.
  const HeaderField* Find(HeaderName name) const;

  // Sum of name + value + 32 for each field (RFC 9113 section 6.5.2).
  size_t list_bytes() const { return list_bytes_; }

 private:
  char* Allocate(size_t bytes) {
    if (chunks_.empty() || chunk_bytes_ - chunk_used_ < bytes) NewChunk(bytes);
    char* const place = chunks_.back().get() + chunk_used_;
    chunk_used_ += bytes;
    return place;
  }
  void NewChunk(size_t bytes_min);
  absl::string_view Copy(absl::string_view text);

  std::vector<HeaderField> fields_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t chunk_used_ = 0;
  size_t chunk_bytes_ = 0;  // size of the last chunk
  size_t list_bytes_ = 0;
};

}  // namespace pinion::http2
