// Objects kept for reuse, up to a bound, so that the steady path does not allocate. Owned by a
// SlabPool; one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pinion::http2 {

template <typename T>
class Recycler {
 public:
  explicit Recycler(size_t kept_max) : kept_max_(kept_max) { kept_.reserve(kept_max); }

  // An object as its last user left it, or a new one.
  std::unique_ptr<T> Take() {
    if (kept_.empty()) return std::make_unique<T>();
    std::unique_ptr<T> object = std::move(kept_.back());
    kept_.pop_back();
    return object;
  }

  void Put(std::unique_ptr<T> object) {
    if (kept_.size() < kept_max_) kept_.push_back(std::move(object));
  }

 private:
  const size_t kept_max_;
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace pinion::http2
