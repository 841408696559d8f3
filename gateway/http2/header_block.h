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
  // Who was moved from is only assigned to or destroyed.
  HeaderBlock(HeaderBlock&&) = default;
  HeaderBlock& operator=(HeaderBlock&&) = default;

  // Copies a field's texts into the arena, and looks up its name. Views handed out earlier stay
  // valid.
  void Add(absl::string_view name, absl::string_view value) { Add({name, value}); }
  void Add(const HeaderField& field);

  // Forgets all fields; keeps what memory a request with a token needs for the next block.
  void Clear();

  absl::Span<const HeaderField> fields() const { return fields_; }
  absl::Span<HeaderField> mutable_fields() { return absl::MakeSpan(fields_); }

  // The first field of this name, which is not kOther, or null.
  const HeaderField* Find(HeaderName name) const;

  // Sum of name + value + 32 for each field (RFC 9113 section 6.5.2).
  size_t list_bytes() const { return list_bytes_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> memory;
    size_t bytes = 0;
  };

  void NextChunk(size_t bytes_min);
  absl::string_view Copy(absl::string_view text);

  std::vector<HeaderField> fields_;
  std::vector<Chunk> chunks_;
  size_t used_chunks_ = 0;
  char* free_ = nullptr;  // of the last of them
  char* free_end_ = nullptr;
  size_t list_bytes_ = 0;
};

}  // namespace pinion::http2
