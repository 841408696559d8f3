// "Did you mean": the known word that a mistyped one was probably meant to be. Pure; for messages
// to people only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinion {

// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`, in bytes.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, ignoring case and taking `-` and `_` as equal; the first of
// equals. Nullopt when none is near enough to be a likely slip: more than a third of the word would
// have to change.
std::optional<std::string> Nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// ` (did you mean "x"?)`, or nothing when no candidate is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace pinion
