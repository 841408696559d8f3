#include "registry/version/names.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace pinion::version {
namespace {

bool IsNameByte(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-'; }

bool IsConsumerByte(char c) {
  return absl::ascii_isalnum(c) || absl::string_view("._@:/-").find(c) != absl::string_view::npos;
}

std::string Quoted(absl::string_view name) {
  constexpr size_t kShown = 80;
  return absl::StrCat("`", absl::CHexEscape(name.substr(0, kShown)), "`",
                      name.size() > kShown ? "..." : "");
}

absl::Status CheckSize(absl::string_view what, absl::string_view name, size_t bytes_max) {
  if (name.empty()) return absl::InvalidArgumentError(absl::StrCat("a ", what, " name is empty"));
  if (name.size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(what, " name ", Quoted(name), " has ",
                                                   name.size(), " bytes; the most is ", bytes_max));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateServiceName(absl::string_view name) {
  RETURN_IF_ERROR(CheckSize("service", name, kMaxServiceNameBytes));
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  const bool good = std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), IsNameByte);
  });
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("service name ", Quoted(name),
                   " must be lower-case letters, digits and `-`, in parts separated by single `/`, "
                   "such as `addressbook` or `db/people`"));
}

absl::Status ValidateChannelName(absl::string_view name) {
  RETURN_IF_ERROR(CheckSize("channel", name, kMaxChannelNameBytes));
  if (name.front() == '@') {
    return absl::InvalidArgumentError(
        absl::StrCat("channel name ", Quoted(name), " has an `@`, which ",
                     "marks a channel only inside an expression; write ", Quoted(name.substr(1))));
  }
  if (std::all_of(name.begin(), name.end(), IsNameByte)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("channel name ", Quoted(name),
                   " must be lower-case letters, digits and `-`, such as `stable`"));
}

absl::Status ValidateConsumerName(absl::string_view name) {
  RETURN_IF_ERROR(CheckSize("consumer", name, kMaxConsumerNameBytes));
  if (std::all_of(name.begin(), name.end(), IsConsumerByte)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "consumer name ", Quoted(name),
      " must be letters, digits and `.`, `_`, `@`, `:`, `/` or `-`, such as `billing`"));
}

}  // namespace pinion::version
