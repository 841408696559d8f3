#include "gateway/route/schema.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pinion::route {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

// The fields of a serialised message, one after the other, without reading those within: of a
// schema of megabytes only its names are looked at. Source: Protocol Buffers, "Encoding".
class Reader {
 public:
  explicit Reader(absl::string_view message) : rest_(message) {}

  // False: there is no further field, or none that can be read; see ok().
  bool Next() {
    if (rest_.empty()) return false;
    uint64_t tag = 0;
    ok_ = TakeVarint(tag) && TakeValue(tag % 8);
    field_ = tag / 8;
    return ok_;
  }
  bool ok() const { return ok_; }

  bool Is(int field) const { return field_ == static_cast<uint64_t>(field); }
  // A string, bytes or a message; empty for other types.
  absl::string_view bytes() const { return bytes_; }
  // An integer; 0 for other types.
  uint64_t number() const { return number_; }

 private:
  bool TakeVarint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte % 128u} << shift;
      if (byte < 128) return true;
    }
    return false;
  }

  bool TakeBytes(uint64_t size) {
    if (size > rest_.size()) return false;
    bytes_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool TakeValue(uint64_t wire_type) {
    bytes_ = {};
    number_ = 0;
    uint64_t size = 0;
    switch (wire_type) {
      case 0:
        return TakeVarint(number_);
      case 1:
        return TakeBytes(8);
      case 2:
        return TakeVarint(size) && TakeBytes(size);
      case 5:
        return TakeBytes(4);
      default:
        return false;  // groups, which descriptors do not have
    }
  }

  absl::string_view rest_;
  uint64_t field_ = 0;
  absl::string_view bytes_;
  uint64_t number_ = 0;
  bool ok_ = true;
};

// A field of type string; empty: not there.
absl::string_view TextOf(absl::string_view message, int field) {
  absl::string_view text;
  for (Reader reader(message); reader.Next();) {
    if (reader.Is(field)) text = reader.bytes();
  }
  return text;
}

}  // namespace

// A schema while it is read. Each method is false for what cannot be read.
struct Schema::Reading {
  std::vector<File> files;
  std::vector<std::pair<std::string, uint32_t>> symbols;
  std::vector<Extension> extensions;

  bool Read(absl::string_view set) {
    Reader reader(set);
    while (reader.Next()) {
      if (reader.Is(FileDescriptorSet::kFileFieldNumber) && !ReadFile(reader.bytes())) return false;
    }
    return reader.ok();
  }

  bool ReadFile(absl::string_view bytes) {
    const auto file = static_cast<uint32_t>(files.size());
    files.push_back({TextOf(bytes, FileDescriptorProto::kNameFieldNumber), bytes});
    const absl::string_view package = TextOf(bytes, FileDescriptorProto::kPackageFieldNumber);
    Reader reader(bytes);
    while (reader.Next()) {
      const bool message = reader.Is(FileDescriptorProto::kMessageTypeFieldNumber);
      const bool extension = reader.Is(FileDescriptorProto::kExtensionFieldNumber);
      if (message && !ReadMessage(reader.bytes(), file)) return false;
      if (extension) AddExtension(reader.bytes(), file);
      if (message || extension || reader.Is(FileDescriptorProto::kEnumTypeFieldNumber) ||
          reader.Is(FileDescriptorProto::kServiceFieldNumber)) {
        // All four have their name in the same place.
        const absl::string_view name = TextOf(reader.bytes(), DescriptorProto::kNameFieldNumber);
        symbols.emplace_back(absl::StrCat(package, package.empty() ? "" : ".", name), file);
      }
    }
    return reader.ok();
  }

  // For the extensions that are declared in it, however deep.
  bool ReadMessage(absl::string_view bytes, uint32_t file) {
    std::vector<absl::string_view> messages = {bytes};
    while (!messages.empty()) {
      Reader reader(messages.back());
      messages.pop_back();
      while (reader.Next()) {
        if (reader.Is(DescriptorProto::kNestedTypeFieldNumber)) messages.push_back(reader.bytes());
        if (reader.Is(DescriptorProto::kExtensionFieldNumber)) AddExtension(reader.bytes(), file);
      }
      if (!reader.ok()) return false;
    }
    return true;
  }

  void AddExtension(absl::string_view bytes, uint32_t file) {
    absl::string_view type;
    int number = 0;
    for (Reader reader(bytes); reader.Next();) {
      if (reader.Is(FieldDescriptorProto::kExtendeeFieldNumber)) type = reader.bytes();
      if (reader.Is(FieldDescriptorProto::kNumberFieldNumber)) {
        number = static_cast<int>(reader.number());
      }
    }
    // Others are not full names, and say nothing without the rest.
    if (absl::StartsWith(type, ".")) extensions.push_back({type.substr(1), number, file});
  }
};

Schema::Schema(std::string file_descriptor_set)
    : bytes_(std::make_shared<const std::string>(std::move(file_descriptor_set))) {
  Reading reading;
  if (!reading.Read(*bytes_)) return;
  files_ = std::move(reading.files);
  for (uint32_t file = 0; file < files_.size(); ++file) files_by_name_.push_back(file);
  std::stable_sort(files_by_name_.begin(), files_by_name_.end(),
                   [this](uint32_t a, uint32_t b) { return files_[a].name < files_[b].name; });

  std::sort(reading.symbols.begin(), reading.symbols.end());
  size_t names_bytes = 0;
  for (const auto& [name, file] : reading.symbols) names_bytes += name.size();
  symbol_names_.reserve(names_bytes);
  symbols_.reserve(reading.symbols.size());
  for (const auto& [name, file] : reading.symbols) {
    const size_t begin = symbol_names_.size();
    symbol_names_ += name;
    // What was reserved does not move.
    symbols_.push_back({absl::string_view(symbol_names_).substr(begin), file});
  }

  extensions_ = std::move(reading.extensions);
  std::sort(extensions_.begin(), extensions_.end(), Before);
}

bool Schema::Before(const Extension& a, const Extension& b) {
  return std::tie(a.type, a.number, a.file) < std::tie(b.type, b.number, b.file);
}

const Schema::File* Schema::FindFile(absl::string_view name) const {
  const auto place = std::lower_bound(
      files_by_name_.begin(), files_by_name_.end(), name,
      [this](uint32_t file, absl::string_view wanted) { return files_[file].name < wanted; });
  const bool found = place != files_by_name_.end() && files_[*place].name == name;
  return found ? &files_[*place] : nullptr;
}

const Schema::File* Schema::FindSymbol(absl::string_view symbol) const {
  const auto behind = std::upper_bound(
      symbols_.begin(), symbols_.end(), symbol,
      [](absl::string_view wanted, const Symbol& known) { return wanted < known.name; });
  if (behind == symbols_.begin()) return nullptr;
  // A dot sorts before all else that names have, so members follow what they are in.
  const Symbol& known = *(behind - 1);
  if (!absl::StartsWith(symbol, known.name)) return nullptr;
  const absl::string_view member = symbol.substr(known.name.size());
  return member.empty() || member.front() == '.' ? &files_[known.file] : nullptr;
}

const Schema::File* Schema::FindExtension(absl::string_view type, int number) const {
  const Extension wanted = {type, number, 0};
  const auto place = std::lower_bound(extensions_.begin(), extensions_.end(), wanted, Before);
  const bool found = place != extensions_.end() && place->type == type && place->number == number;
  return found ? &files_[place->file] : nullptr;
}

std::vector<int> Schema::ExtensionNumbers(absl::string_view type) const {
  const Extension first = {type, std::numeric_limits<int>::min(), 0};
  std::vector<int> numbers;
  for (auto place = std::lower_bound(extensions_.begin(), extensions_.end(), first, Before);
       place != extensions_.end() && place->type == type; ++place) {
    numbers.push_back(place->number);
  }
  return numbers;
}

std::vector<const Schema::File*> Schema::Closure(const File& file) const {
  std::vector<const File*> files = {&file};
  absl::flat_hash_set<const File*> seen = {&file};
  for (size_t i = 0; i < files.size(); ++i) {
    for (Reader reader(files[i]->bytes); reader.Next();) {
      if (!reader.Is(FileDescriptorProto::kDependencyFieldNumber)) continue;
      const File* imported = FindFile(reader.bytes());
      if (imported != nullptr && seen.insert(imported).second) files.push_back(imported);
    }
  }
  return files;
}

}  // namespace pinion::route
