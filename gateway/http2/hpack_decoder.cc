#include "gateway/http2/hpack_decoder.h"

#include <array>
#include <optional>

#include "gateway/http2/header_validator.h"
#include "gateway/http2/hpack_huffman.h"
#include "gateway/http2/hpack_static_table.h"
#include "gateway/limits.h"

namespace pinion::http2 {
namespace {

using hpack::Read;

// Once, for all later uses of a field of the tables.
void Examine(HeaderField& field) {
  field.hash = HashOf(field);
  field.well_formed = FieldFault(field).empty();
}

// What a decoder keeps of the memory for representations that come in pieces.
constexpr size_t kKeptBytesMax = 1024;

// The static table, with what is found out about its fields.
const HeaderField& StaticField(uint32_t index) {
  static const auto fields = [] {
    std::array<HeaderField, kStaticHeaders.size()> all;
    for (size_t i = 0; i < all.size(); ++i) {
      all[i] = {kStaticHeaders[i].name, kStaticHeaders[i].value};
      all[i].name_id = kStaticNames[i];
      Examine(all[i]);
    }
    return all;
  }();
  return fields[index - 1];
}

size_t TextBytesMax(const hpack::String& string) {
  return string.huffman ? HuffmanDecodedBytesMax(string.bytes.size()) : 0;
}

// False: a broken code. What has to be decoded goes to `place`, which moves behind it.
bool TextOf(const hpack::String& string, char*& place, absl::string_view& text) {
  if (!string.huffman) {
    text = {reinterpret_cast<const char*>(string.bytes.data()), string.bytes.size()};
    return true;
  }
  const std::optional<size_t> size = HuffmanDecode(string.bytes, place);
  if (!size.has_value()) return false;
  text = {place, *size};
  place += *size;
  return true;
}

}  // namespace

void HpackDecoder::Sink::Add(const HeaderField& field) {
  progress.bytes += HpackTable::EntryBytes(field);
  progress.fields += 1;
  progress.too_large |= progress.bytes > limits.bytes_max || progress.fields > limits.fields_max;
  if (block != nullptr && !progress.too_large) block->Add(field);
}

bool HpackDecoder::Decode(Bytes piece, bool final, const HeaderListLimits& limits,
                          HeaderListProgress& progress, HeaderBlock* block) {
  Sink sink = {limits, progress, block};
  Bytes in = piece;
  if (!kept_.empty()) {
    kept_.insert(kept_.end(), piece.begin(), piece.end());
    in = kept_;
  }
  while (!in.empty()) {
    const Bytes rest = in;
    const Read read = Representation(in, sink);
    if (progress.bytes >= limits.bytes_end()) return false;
    if (read == Read::kWhole) continue;
    if (read == Read::kBroken || final) return false;
    Keep(rest);
    return true;
  }
  kept_.clear();
  if (kept_.capacity() > kKeptBytesMax) kept_.shrink_to_fit();
  if (final) fields_begun_ = false;
  return true;
}

// A representation is read from its beginning when more of it has come: no text is looked at before
// all of it is there, so that costs as much for a short one as for a long one.
void HpackDecoder::Keep(Bytes rest) {
  if (kept_.empty()) {
    kept_.assign(rest.begin(), rest.end());
  } else {
    kept_.erase(kept_.begin(), kept_.end() - static_cast<ptrdiff_t>(rest.size()));
  }
}

Read HpackDecoder::Representation(Bytes& in, Sink& sink) {
  const uint8_t first = in.front();
  if ((first & hpack::kIndexed) != 0) return Indexed(in, sink);
  if ((first & hpack::kIndexing) != 0) return Literal(in, hpack::kIndexingMax, sink);
  if ((first & hpack::kTableSize) != 0) return TableSize(in);
  return Literal(in, hpack::kLiteralMax, sink);
}

Read HpackDecoder::Indexed(Bytes& in, Sink& sink) {
  uint32_t index = 0;
  const Read read = hpack::ReadInteger(in, hpack::kIndexedMax, index);
  if (read != Read::kWhole) return read;
  HeaderField field;
  if (!Lookup(index, field)) return Read::kBroken;
  fields_begun_ = true;
  sink.Add(field);
  return Read::kWhole;
}

Read HpackDecoder::Literal(Bytes& in, uint8_t prefix_max, Sink& sink) {
  const uint8_t first = in.front();
  uint32_t index = 0;
  Read read = hpack::ReadInteger(in, prefix_max, index);
  if (read != Read::kWhole) return read;
  hpack::String name, value;
  HeaderField named;  // what lends its name
  if (index == 0) {
    read = hpack::ReadString(in, name);
  } else if (Lookup(index, named)) {
    name.bytes = Bytes(reinterpret_cast<const uint8_t*>(named.name.data()), named.name.size());
  } else {
    return Read::kBroken;
  }
  if (read == Read::kWhole) read = hpack::ReadString(in, value);
  if (read != Read::kWhole) return read;
  HeaderField field;
  if (!ReadTexts(name, value, field)) return Read::kBroken;
  fields_begun_ = true;
  field.name_id = index == 0 ? FindHeaderName(field.name) : named.name_id;
  const bool indexing = prefix_max == hpack::kIndexingMax;
  field.never_index = !indexing && (first & hpack::kNeverIndexed) != 0;
  if (indexing) Examine(field);
  sink.Add(field);
  if (indexing) table_.Insert(field);
  return Read::kWhole;
}

Read HpackDecoder::TableSize(Bytes& in) {
  uint32_t bytes = 0;
  const Read read = hpack::ReadInteger(in, hpack::kTableSizeMax, bytes);
  if (read != Read::kWhole) return read;
  if (fields_begun_ || bytes > limits::kHpackTableBytes) return Read::kBroken;
  table_.SetBytesMax(bytes);
  return Read::kWhole;
}

bool HpackDecoder::Lookup(uint32_t index, HeaderField& field) const {
  if (index == 0) return false;
  if (index <= kStaticHeaders.size()) {
    field = StaticField(index);
    return true;
  }
  const size_t age = index - kStaticHeaders.size() - 1;
  if (age >= table_.count()) return false;
  field = table_.At(age);
  return true;
}

bool HpackDecoder::ReadTexts(const hpack::String& name, const hpack::String& value,
                             HeaderField& field) {
  const size_t bytes_max = TextBytesMax(name) + TextBytesMax(value);
  if (scratch_.size() < bytes_max) scratch_.resize(bytes_max);
  char* place = reinterpret_cast<char*>(scratch_.data());
  return TextOf(name, place, field.name) && TextOf(value, place, field.value);
}

}  // namespace pinion::http2
