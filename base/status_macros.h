// Early returns for absl::Status and absl::StatusOr, which Debian 12's abseil does not have.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function when `expr` (an absl::Status) is not OK.
#define RETURN_IF_ERROR(expr)                                \
  do {                                                       \
    if (absl::Status pinion_status_ = (expr); !pinion_status_.ok()) return pinion_status_; \
  } while (false)

// Assigns the value of `expr` (an absl::StatusOr) to `lhs`, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  PINION_ASSIGN_OR_RETURN_(PINION_CONCAT_(pinion_status_or_, __LINE__), lhs, expr)

#define PINION_CONCAT_INNER_(a, b) a##b
#define PINION_CONCAT_(a, b) PINION_CONCAT_INNER_(a, b)
#define PINION_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                             \
  if (!tmp.ok()) return std::move(tmp).status(); \
  lhs = *std::move(tmp)
