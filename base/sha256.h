// SHA-256, the one digest that Pinion uses. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pinion {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view data);

// The digest of what is added, in that order.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view data);
  // Call it once.
  std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pinion
