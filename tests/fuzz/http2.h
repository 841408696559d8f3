// The HTTP/2 session against a peer whose bytes are the input. Three bytes say how: the first seeds
// what the user does, the second how the bytes are split, the third whether what follows is the
// wire itself or frames in short form, whose lengths a mutation does not break:
//
//     type  flags  stream id  payload (Piece)
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http2/types.h"

namespace pinion::fuzz {

std::vector<std::string> Http2Seeds(http2::Role victim);
void RunHttp2(http2::Role victim, absl::string_view input);

}  // namespace pinion::fuzz
