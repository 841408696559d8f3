// What versions were published with, as reflection asks for it: where in a FileDescriptorSet each
// file, symbol and extension is. Read once, off the workers, when the schema arrives; never linked,
// since two versions may well disagree. Immutable, and shared by all tables and calls; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pinion::route {

class Schema {
 public:
  // Views into bytes().
  struct File {
    absl::string_view name;
    absl::string_view bytes;  // a serialised google.protobuf.FileDescriptorProto
  };

  // What cannot be read has no files.
  explicit Schema(std::string file_descriptor_set);
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  // As it was given. Who sends parts of it holds this as long.
  const std::shared_ptr<const std::string>& bytes() const { return bytes_; }

  // Null: not there.
  const File* FindFile(absl::string_view name) const;
  // Of a full name without the leading dot; of a member (a method, a nested message) as of what it
  // is in, whether that has it or not.
  const File* FindSymbol(absl::string_view symbol) const;
  const File* FindExtension(absl::string_view type, int number) const;
  // Of all extensions of `type`, ascending.
  std::vector<int> ExtensionNumbers(absl::string_view type) const;

  // `file`, which is of this schema, and all that it imports, each once, what it needs after it.
  std::vector<const File*> Closure(const File& file) const;

 private:
  struct Reading;
  struct Symbol {
    absl::string_view name;  // in symbol_names_
    uint32_t file;
  };
  struct Extension {
    absl::string_view type;
    int number;
    uint32_t file;
  };
  static bool Before(const Extension& a, const Extension& b);

  std::shared_ptr<const std::string> bytes_;
  std::vector<File> files_;
  std::vector<uint32_t> files_by_name_;
  std::string symbol_names_;           // one after the other
  std::vector<Symbol> symbols_;        // by name; those that are in no other
  std::vector<Extension> extensions_;  // as Before() says
};

}  // namespace pinion::route
