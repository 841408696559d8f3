#include "clients/cli/json_text.h"

#include <algorithm>
#include <array>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/deterministic_bytes.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "google/rpc/error_details.pb.h"

namespace pinion::cli {
namespace {

std::string Print(const google::protobuf::Message& message,
                  const google::protobuf::util::JsonPrintOptions& options) {
  constexpr char kPrefix[] = "type.googleapis.com";
  // Known to the pool before an Any that holds one is printed.
  google::rpc::ErrorInfo::descriptor();
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kPrefix, google::protobuf::DescriptorPool::generated_pool()));
  std::string json;
  const auto status = google::protobuf::util::BinaryToJsonString(
      types.get(), absl::StrCat(kPrefix, "/", message.GetDescriptor()->full_name()),
      DeterministicBytes(message), &json, options);
  // Only a message that is not what its descriptor says, or an unknown Any, can fail.
  CHECK(status.ok());
  return json;
}

// Words that YAML, old or new, takes for something else than a text.
bool MeansSomething(absl::string_view word) {
  static constexpr std::array<absl::string_view, 11> kWords = {
      "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [word](absl::string_view one) { return absl::EqualsIgnoreCase(word, one); });
}

bool IsPlain(absl::string_view text) {
  return !text.empty() && (absl::ascii_isalpha(text[0]) || text[0] == '/' || text[0] == '_') &&
         std::all_of(
             text.begin(), text.end(),
             [](char c) { return absl::ascii_isalnum(c) || absl::StrContains("_-./", c); }) &&
         !MeansSomething(text);
}

// What protobuf escapes for the sake of HTML; all else that JSON escapes YAML knows as well.
std::string WithoutHtmlEscapes(absl::string_view quoted) {
  std::string text;
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      text += quoted[i];
    } else if (absl::StartsWith(quoted.substr(i), "\\u003c") ||
               absl::StartsWith(quoted.substr(i), "\\u003e")) {
      text += quoted[i + 5] == 'c' ? '<' : '>';
      i += 5;
    } else {
      absl::StrAppend(&text, quoted.substr(i++, 2));
    }
  }
  return text;
}

// Reads a JSON text from its beginning to its end, and writes each value as it comes.
class YamlWriter {
 public:
  explicit YamlWriter(absl::string_view json) : json_(json) {}

  std::string Write() {
    Value(0, Place::kAlone);
    return std::move(yaml_);
  }

 private:
  // Where a value stands: on a line of its own, behind "key:", or behind "-".
  enum class Place { kAlone, kBehindKey, kBehindDash };

  void Value(int depth, Place place) {
    if (Peek() == '{') return Entries('}', depth, place);
    if (Peek() == '[') return Entries(']', depth, place);
    absl::StrAppend(&yaml_, place == Place::kAlone ? "" : " ", Scalar(), "\n");
  }

  // An object, or a list.
  void Entries(char end, int depth, Place place) {
    Take(Peek());
    if (Peek() == end) {
      absl::StrAppend(&yaml_, place == Place::kAlone ? "" : " ", end == '}' ? "{}" : "[]", "\n");
      return Take(end);
    }
    if (place == Place::kBehindKey) yaml_ += '\n';
    for (bool first = true; Peek() != end; first = false) {
      if (!first) Take(',');
      if (first && place == Place::kBehindDash) {
        yaml_ += ' ';
      } else {
        yaml_.append(2 * depth, ' ');
      }
      if (end == '}') {
        absl::StrAppend(&yaml_, Scalar(), ":");
        Take(':');
        Value(depth + 1, Place::kBehindKey);
      } else {
        yaml_ += '-';
        Value(depth + 1, Place::kBehindDash);
      }
    }
    Take(end);
  }

  char Peek() {
    json_ = absl::StripLeadingAsciiWhitespace(json_);
    CHECK(!json_.empty());
    return json_[0];
  }
  void Take(char expected) {
    CHECK(Peek() == expected);
    json_.remove_prefix(1);
  }

  // A text, a number or a word, as YAML writes it.
  std::string Scalar() {
    size_t size = 0;
    if (Peek() != '"') {
      size = std::min(json_.find_first_of(",]} \n"), json_.size());
      const std::string word(json_.substr(0, size));
      json_.remove_prefix(size);
      return word;
    }
    for (size = 1; json_[size] != '"'; ++size) {
      if (json_[size] == '\\') ++size;
    }
    const absl::string_view quoted = json_.substr(0, size + 1);
    json_.remove_prefix(size + 1);
    const absl::string_view text = quoted.substr(1, size - 1);
    return IsPlain(text) ? std::string(text) : WithoutHtmlEscapes(quoted);
  }

  absl::string_view json_;  // what is still to be read
  std::string yaml_;
};

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  return Print(message, options);
}

std::string ToSchemaJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  return Print(message, options);
}

std::string JsonToYaml(absl::string_view json) { return YamlWriter(json).Write(); }

}  // namespace pinion::cli
