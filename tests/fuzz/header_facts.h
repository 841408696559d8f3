// What a header field carries along, found out about it before, is what a look at its texts finds.
#pragma once

#include "base/check.h"
#include "gateway/http2/header_field.h"
#include "gateway/http2/header_validator.h"

namespace pinion::fuzz {

inline void CheckFacts(const http2::HeaderField& field) {
  const http2::HeaderField texts = {field.name, field.value};
  CHECK(field.Name() == http2::FindHeaderName(field.name));
  CHECK(field.hash == 0 || field.hash == http2::HashOf(texts));
  CHECK(!field.well_formed || http2::FieldFault(texts).empty());
}

}  // namespace pinion::fuzz
