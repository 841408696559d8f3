// The steps of the database on its way from 1.0.0 to 2.1.0. Each runs while servers use the file,
// is one transaction, and does nothing when what it asks for already is.
//
//   create   ──▶ id, name, address                                 1.0.0 can run
//   expand   ──▶ id, name, address, address_line1?, address_line2? 1.0.0 runs on, 2.0.0 can start
//   reset    ──▶ every address line back to null                   2.0.0 can be deployed again
//   contract ──▶ id, name, address_line1, address_line2            2.1.0 runs on, no other can
//
// There is no step that undoes `expand`: two columns that nobody reads harm nobody. None undoes
// `contract` either: it is the end of 1.0.0 and 2.0.0, and waits until both are retired.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/addressbook/db/sqlite.h"

namespace addressbook {

absl::Status Create(Database& database);

// OK when 1.0.0 can run, which it cannot once the database is contracted; FailedPrecondition says
// what to do first.
absl::Status CheckCreated(Database& database);

// Adds 2.0.0's columns, null in every row, and the trigger that keeps them true while both versions
// write: 1.0.0 does not know them, so a new `address` without new lines sets them back to null,
// and 2.0.0 derives them again from `address`.
absl::Status Expand(Database& database);

// OK when 2.0.0 can run; FailedPrecondition says what to do first.
absl::Status CheckExpanded(Database& database);
absl::StatusOr<bool> IsExpanded(Database& database);

// Writes the lines that are still to be derived, and drops `address` with its trigger.
// FailedPrecondition: not expanded.
absl::Status Contract(Database& database);

// OK when 2.1.0 can run, before the contraction or after it; FailedPrecondition says what to do
// first.
absl::Status CheckLines(Database& database);
absl::StatusOr<bool> IsContracted(Database& database);

// Sets 2.0.0's columns to null in every row and returns how many had them. Nothing is lost, since
// both versions always write `address`; whatever stood in the lines is derived anew.
// FailedPrecondition: not expanded, or contracted: then the lines are all there is.
absl::StatusOr<int64_t> Reset(Database& database);

struct Progress {
  int64_t contacts = 0;
  int64_t with_lines = 0;  // migrated so far
  bool expanded = false;
  bool contracted = false;
};

absl::StatusOr<Progress> Inspect(Database& database);

}  // namespace addressbook
