#include "examples/addressbook/db/address_lines.h"

#include "absl/strings/str_cat.h"

namespace addressbook {

std::string JoinAddress(const AddressLines& lines) {
  return lines.line2.empty() ? lines.line1 : absl::StrCat(lines.line1, "\n", lines.line2);
}

AddressLines SplitAddress(std::string_view address) {
  const size_t end = address.find('\n');
  if (end == std::string_view::npos) return {std::string(address), ""};
  return {std::string(address.substr(0, end)), std::string(address.substr(end + 1))};
}

}  // namespace addressbook
