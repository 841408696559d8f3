// Speaks HPACK for tests/conformance/hpack.py with the gateway's coders. One request a line on
// standard input, one answer a line on standard output, all strings in hexadecimal:
//
//     new                       a new encoder and a new decoder     ok
//     size BYTES                the encoder's table from now on     ok
//     encode [!]NAME:VALUE …    one block; `!`: never indexed       the block
//     decode BLOCK              one block                           [!]NAME:VALUE …, or error
#include <cstdint>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/http2/hpack_decoder.h"
#include "gateway/http2/hpack_encoder.h"

namespace pinion::http2 {
namespace {

// What a session refuses is not the coder's matter.
constexpr HeaderListLimits kNoLimits = {UINT32_MAX, UINT32_MAX};

class Peer {
 public:
  std::optional<std::string> Answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb;
    words >> verb;
    if (verb == "new") {
      encoder_ = HpackEncoder();
      decoder_.emplace(scratch_);
      return "ok";
    }
    if (verb == "size") {
      uint32_t bytes = 0;
      words >> bytes;
      encoder_.SetTableBytes(bytes);
      return "ok";
    }
    if (verb == "encode") return Encode(words);
    if (verb == "decode") return Decode(words);
    return std::nullopt;
  }

 private:
  std::string Encode(std::istringstream& words) {
    HeaderBlock block;
    for (std::string word; words >> word;) {
      const bool never_index = word[0] == '!';
      if (never_index) word.erase(0, 1);
      const size_t colon = word.find(':');
      const std::string name = absl::HexStringToBytes(word.substr(0, colon));
      const std::string value = absl::HexStringToBytes(word.substr(colon + 1));
      block.Add({name, value, never_index});
    }
    const Bytes encoded = encoder_.Encode(block.fields(), scratch_);
    return absl::BytesToHexString({reinterpret_cast<const char*>(encoded.data()), encoded.size()});
  }

  // In pieces, as a block comes in CONTINUATION frames; their size follows from the block's.
  std::string Decode(std::istringstream& words) {
    std::string hex;
    words >> hex;
    const std::string text = absl::HexStringToBytes(hex);
    Bytes rest(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    const size_t piece = 1 + text.size() % 9;
    HeaderBlock block;
    HeaderListProgress progress;
    do {
      const Bytes head = rest.subspan(0, piece);
      rest.remove_prefix(head.size());
      if (!decoder_->Decode(head, rest.empty(), kNoLimits, progress, &block)) return "error";
    } while (!rest.empty());
    std::string out;
    for (const HeaderField& field : block.fields()) {
      absl::StrAppend(&out, out.empty() ? "" : " ", field.never_index ? "!" : "",
                      absl::BytesToHexString(field.name), ":", absl::BytesToHexString(field.value));
    }
    return out;
  }

  std::vector<uint8_t> scratch_;
  HpackEncoder encoder_;
  std::optional<HpackDecoder> decoder_{std::in_place, scratch_};
};

int Main() {
  Peer peer;
  for (std::string request; std::getline(std::cin, request);) {
    const std::optional<std::string> answer = peer.Answer(request);
    if (!answer.has_value()) {
      std::cerr << "hpack_peer: no request `" << request << "`\n";
      return 1;
    }
    std::cout << *answer << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace pinion::http2

int main() { return pinion::http2::Main(); }
