#include "clients/cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/check.h"

namespace pinion::cli {
namespace {

constexpr size_t kGap = 2;

// Code points; what is shown double or not at all is rare in names, and only shifts its own row.
size_t Width(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

// What others wrote must not move the cursor of whoever looks at it.
std::string Shown(std::string text) {
  if (text.empty()) return "-";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace

void Table::Add(std::vector<std::string> cells) {
  CHECK(cells.size() == rows_.front().size());
  for (std::string& cell : cells) cell = Shown(std::move(cell));
  rows_.push_back(std::move(cells));
}

std::string Table::Render() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - Width(row[i]) + kGap, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [name, value] : fields) {
    if (!value.empty()) width = std::max(width, Width(name));
  }
  std::string text;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    absl::StrAppend(&text, name, ":", std::string(width - Width(name) + kGap - 1, ' '),
                    Shown(value), "\n");
  }
  return text;
}

}  // namespace pinion::cli
