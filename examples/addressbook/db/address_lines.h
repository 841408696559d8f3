// How 2.0.0's two address lines and 1.0.0's one address say the same thing. Pure.
#pragma once

#include <string>
#include <string_view>

namespace addressbook {

struct AddressLines {
  std::string line1;  // without \n
  std::string line2;

  bool operator==(const AddressLines&) const = default;
};

// The address in one text: both lines, \n between; line1 alone when line2 is empty.
std::string JoinAddress(const AddressLines& lines);

// The first line and the rest. SplitAddress(JoinAddress(lines)) == lines for every line1 without
// \n, so that nothing which a consumer of 2.0.0 wrote is lost by going through 1.0.0's column.
AddressLines SplitAddress(std::string_view address);

}  // namespace addressbook
