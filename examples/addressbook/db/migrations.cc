#include "examples/addressbook/db/migrations.h"

#include <string>

#include "base/status_macros.h"

namespace addressbook {
namespace {

constexpr char kCreate[] = R"sql(
  CREATE TABLE IF NOT EXISTS contacts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL
  ) WITHOUT ROWID;
)sql";

constexpr char kExpand[] = R"sql(
  ALTER TABLE contacts ADD COLUMN address_line1 TEXT;
  ALTER TABLE contacts ADD COLUMN address_line2 TEXT;
  CREATE TRIGGER contacts_address_alone AFTER UPDATE OF address ON contacts
  WHEN new.address IS NOT old.address
    AND new.address_line1 IS old.address_line1 AND new.address_line2 IS old.address_line2
  BEGIN
    UPDATE contacts SET address_line1 = NULL, address_line2 = NULL WHERE id = new.id;
  END;
)sql";

// SplitAddress() in SQL.
constexpr char kContract[] = R"sql(
  UPDATE contacts SET
    address_line1 = substr(address, 1, instr(address || char(10), char(10)) - 1),
    address_line2 = substr(address, instr(address || char(10), char(10)) + 1)
  WHERE address_line1 IS NULL;
  DROP TRIGGER contacts_address_alone;
  ALTER TABLE contacts DROP COLUMN address;
)sql";

// IMMEDIATE: a step that reads first takes the write lock before that, so that two of them cannot
// both find it undone.
template <typename Step>
absl::Status InTransaction(Database& database, Step step) {
  RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  const absl::Status status = step();
  const absl::Status end = database.Execute(status.ok() ? "COMMIT" : "ROLLBACK");
  return status.ok() ? end : status;
}

absl::StatusOr<int64_t> Count(Database& database, std::string_view sql) {
  ASSIGN_OR_RETURN(Statement statement, database.Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Number(0) : 0;
}

absl::Status CheckTable(Database& database) {
  ASSIGN_OR_RETURN(
      const int64_t tables,
      Count(database,
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'contacts'"));
  if (tables == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the database has no contacts table yet; make it with: addressbook_migrate create --db FILE");
}

}  // namespace

absl::Status Create(Database& database) { return database.Execute(kCreate); }

absl::Status CheckCreated(Database& database) {
  RETURN_IF_ERROR(CheckTable(database));
  ASSIGN_OR_RETURN(const bool contracted, IsContracted(database));
  if (!contracted) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the database is contracted: it has no column `address` any more; run 2.1.0, which needs "
      "none");
}

absl::Status CheckExpanded(Database& database) {
  RETURN_IF_ERROR(CheckCreated(database));
  return CheckLines(database);
}

absl::StatusOr<bool> IsExpanded(Database& database) {
  ASSIGN_OR_RETURN(const int64_t columns,
                   Count(database,
                         "SELECT count(*) FROM pragma_table_info('contacts') WHERE name "
                         "IN ('address_line1', 'address_line2')"));
  return columns == 2;
}

absl::Status Expand(Database& database) {
  return InTransaction(database, [&database]() -> absl::Status {
    RETURN_IF_ERROR(CheckTable(database));
    ASSIGN_OR_RETURN(const bool expanded, IsExpanded(database));
    return expanded ? absl::OkStatus() : database.Execute(kExpand);
  });
}

absl::Status Contract(Database& database) {
  return InTransaction(database, [&database]() -> absl::Status {
    RETURN_IF_ERROR(CheckLines(database));
    ASSIGN_OR_RETURN(const bool contracted, IsContracted(database));
    return contracted ? absl::OkStatus() : database.Execute(kContract);
  });
}

absl::Status CheckLines(Database& database) {
  RETURN_IF_ERROR(CheckTable(database));
  ASSIGN_OR_RETURN(const bool expanded, IsExpanded(database));
  if (expanded) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the database has no columns for 2.0.0 yet; add them, while 1.0.0 runs on, with: "
      "addressbook_migrate expand --db FILE");
}

absl::StatusOr<bool> IsContracted(Database& database) {
  ASSIGN_OR_RETURN(
      const int64_t columns,
      Count(database, "SELECT count(*) FROM pragma_table_info('contacts') WHERE name = 'address'"));
  return columns == 0;
}

absl::StatusOr<int64_t> Reset(Database& database) {
  RETURN_IF_ERROR(CheckExpanded(database));
  RETURN_IF_ERROR(
      database.Execute("UPDATE contacts SET address_line1 = NULL, address_line2 = NULL "
                       "WHERE address_line1 IS NOT NULL OR address_line2 IS NOT NULL"));
  return database.Changes();
}

absl::StatusOr<Progress> Inspect(Database& database) {
  RETURN_IF_ERROR(CheckTable(database));
  Progress progress;
  ASSIGN_OR_RETURN(progress.contracted, IsContracted(database));
  ASSIGN_OR_RETURN(progress.expanded, IsExpanded(database));
  ASSIGN_OR_RETURN(progress.contacts, Count(database, "SELECT count(*) FROM contacts"));
  if (progress.expanded) {
    ASSIGN_OR_RETURN(
        progress.with_lines,
        Count(database, "SELECT count(*) FROM contacts WHERE address_line1 IS NOT NULL"));
  }
  return progress;
}

}  // namespace addressbook
