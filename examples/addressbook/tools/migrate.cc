// addressbook_migrate: takes the database from one step to the next while servers use it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/status_macros.h"
#include "examples/addressbook/db/migrations.h"

namespace addressbook {
namespace {

void Print(const Progress& progress) {
  std::cout << progress.contacts << " contacts; ";
  if (progress.contracted) {
    std::cout << "contracted: address lines only\n";
  } else if (progress.expanded) {
    std::cout << "expanded; " << progress.with_lines << " with address lines\n";
  } else {
    std::cout << "not expanded\n";
  }
}

absl::Status Run(const std::string& step, const std::string& path) {
  ASSIGN_OR_RETURN(Database database, Database::Open(path, /*create=*/step == "create"));
  if (step == "create") RETURN_IF_ERROR(Create(database));
  if (step == "expand") RETURN_IF_ERROR(Expand(database));
  if (step == "contract") RETURN_IF_ERROR(Contract(database));
  if (step == "reset") {
    ASSIGN_OR_RETURN(const int64_t rows, Reset(database));
    std::cout << "set the address lines of " << rows << " contacts to null\n";
  }
  ASSIGN_OR_RETURN(const Progress progress, Inspect(database));
  Print(progress);
  return absl::OkStatus();
}

}  // namespace
}  // namespace addressbook

int main(int argc, char** argv) {
  CLI::App app{"Migrates the address book's database while its servers run."};
  std::string step, path;
  app.add_option(
         "step", step,
         "create: 1.0.0's table; expand: add 2.0.0's columns; reset: set them to null; contract: "
         "drop 1.0.0's column, once no version needs it; status")
      ->required()
      ->check(CLI::IsMember({"create", "expand", "reset", "contract", "status"}));
  app.add_option("--db", path, "the SQLite file")->required();
  CLI11_PARSE(app, argc, argv);

  const absl::Status status = addressbook::Run(step, path);
  if (!status.ok()) std::cerr << "addressbook_migrate: " << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
