// A table for people: columns aligned by what a terminal shows of UTF-8. A value; any thread.
#pragma once

#include <string>
#include <vector>

namespace pinion::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headers) : rows_({std::move(headers)}) {}

  // REQUIRES: as many cells as headers. Empty cells show as "-", control characters as "?".
  void Add(std::vector<std::string> cells);

  bool empty() const { return rows_.size() == 1; }
  // The header and each row, one line each, without trailing blanks.
  std::string Render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Lines "name:  value", the values aligned; pairs with an empty value are left out.
std::string RenderFields(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace pinion::cli
