#include "registry/model/pins.h"

#include "gtest/gtest.h"
#include "registry/model/errors.h"

namespace pinion::model {
namespace {

// A history, oldest first; "" is an unset.
std::vector<registry::v1::PinChange> History(const std::vector<std::string>& expressions) {
  std::vector<registry::v1::PinChange> newest_first;
  for (size_t i = expressions.size(); i-- > 0;) {
    registry::v1::PinChange change;
    change.set_sequence(static_cast<int64_t>(i) + 1);
    change.set_expression(expressions[i]);
    newest_first.push_back(change);
  }
  return newest_first;
}

TEST(Pins, RollbackLeadsToTheExpressionBefore) {
  const struct {
    std::vector<std::string> history;
    int64_t to;
    std::string expression;  // empty: refused
    int64_t sequence;
  } kCases[] = {
      {{"^1", "^2"}, 0, "^1", 1},
      {{"^1", "^2", "^1"}, 0, "^2", 2},  // a rollback is undone by another
      {{"^1", "^2", "^3"}, 0, "^2", 2},
      {{"^1"}, 0, "", 0},
      {{}, 0, "", 0},
      {{"^1", ""}, 0, "^1", 1},      // brings back what was unset
      {{"^1", "", "^1"}, 0, "", 0},  // never was anything else
      {{"^1", "", "^2"}, 0, "^1", 1},
      {{"^1", "^2", "^3"}, 1, "^1", 1},
      {{"^1", "", "^3"}, 2, "", 0},  // an unset is no expression
      {{"^1"}, 9, "", 0},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<RollbackTarget> target = FindRollback(History(c.history), c.to, "a b");
    ASSERT_EQ(target.ok(), !c.expression.empty()) << target.status();
    if (!target.ok()) continue;
    EXPECT_EQ(target->expression, c.expression);
    EXPECT_EQ(target->sequence, c.sequence);
  }
  EXPECT_EQ(ReasonOf(FindRollback(History({"^1"}), 0, "a b").status()), "NOTHING_TO_ROLL_BACK");
  EXPECT_EQ(ReasonOf(FindRollback({}, 0, "a b").status()), "PIN_NOT_FOUND");
}

}  // namespace
}  // namespace pinion::model
