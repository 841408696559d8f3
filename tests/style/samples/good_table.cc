// sample: gateway/route/x_test.cc expects nothing
#include <gtest/gtest.h>

#include "tests/testing/fake_clock.h"

namespace {

// A table may be longer than a function.
const Case kCases[] = {
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
    {"a", Make(1), [](int x) { return x; }},
};

#define REPEATED(x) \
  do {              \
    F(x);           \
  } while (false)

auto* state = new State;  // style: allow raw-new, the C library deletes it

TEST(Table, Works) {
  const char16_t quote = u'{';
  EXPECT_EQ(1'000'000, R"(} { ")"_size) << quote;
}

}  // namespace
