// addressbook_v2_1: the address book at 2.1.0, with the API of 2.0.0, over a database that may be
// contracted at any moment. Compare with v2.cc to see what the contraction asked of the code:
//
//   reads   the lines where they are; else, while the old column is there, what that says
//   writes  the lines; while the old column is there, that too
//
// So it runs beside 1.0.0 and 2.0.0, and on when both are retired and the column is gone.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "acme/addressbook.grpc.pb.h"
#include "base/status_macros.h"
#include "examples/addressbook/db/address_lines.h"
#include "examples/addressbook/db/migrations.h"
#include "examples/addressbook/db/sqlite.h"
#include "examples/addressbook/server/host.h"

namespace addressbook {
namespace {

constexpr int kListPage = 100;
// Those that the database has: 2.0.0's lines, and 1.0.0's address until the contraction.
enum class Columns { kLines, kLinesAndAddress };

// What `use` does with the columns that there are. If the old one goes meanwhile, it begins anew
// without it.
template <typename Use>
auto WithColumns(Database& database, Use use) -> decltype(use(Columns::kLines)) {
  ASSIGN_OR_RETURN(const bool contracted, IsContracted(database));
  auto result = use(contracted ? Columns::kLines : Columns::kLinesAndAddress);
  if (result.ok() || contracted) return result;
  ASSIGN_OR_RETURN(const bool contracted_since, IsContracted(database));
  return contracted_since ? use(Columns::kLines) : result;
}

std::string Select(Columns columns, absl::string_view rest) {
  return absl::StrCat("SELECT id, name, address_line1, address_line2",
                      columns == Columns::kLinesAndAddress ? ", address" : "", " FROM contacts ",
                      rest);
}

// New-or-old, where there is an old.
acme::Contact Read(const Statement& row, Columns columns) {
  acme::Contact contact;
  contact.set_id(row.Text(0));
  contact.set_name(row.Text(1));
  AddressLines lines{row.Text(2), row.Text(3)};
  if (columns == Columns::kLinesAndAddress && !row.NullableText(2).has_value()) {
    lines = SplitAddress(row.Text(4));
  }
  contact.set_address_line1(lines.line1);
  contact.set_address_line2(lines.line2);
  return contact;
}

absl::Status PutLines(Database& database, const acme::Contact& contact) {
  ASSIGN_OR_RETURN(Statement put,
                   database.Prepare("INSERT INTO contacts (id, name, address_line1, address_line2) "
                                    "VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                                    "name = excluded.name, address_line1 = excluded.address_line1, "
                                    "address_line2 = excluded.address_line2"));
  return put.Bind(contact.id())
      .Bind(contact.name())
      .Bind(contact.address_line1())
      .Bind(contact.address_line2())
      .Run();
}

// Both.
absl::Status PutLinesAndAddress(Database& database, const acme::Contact& contact) {
  ASSIGN_OR_RETURN(
      Statement put,
      database.Prepare("INSERT INTO contacts (id, name, address, address_line1, address_line2) "
                       "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                       "name = excluded.name, address = excluded.address, "
                       "address_line1 = excluded.address_line1, "
                       "address_line2 = excluded.address_line2"));
  return put.Bind(contact.id())
      .Bind(contact.name())
      .Bind(JoinAddress({contact.address_line1(), contact.address_line2()}))
      .Bind(contact.address_line1())
      .Bind(contact.address_line2())
      .Run();
}

absl::Status Put(Database& database, const acme::Contact& contact) {
  return WithColumns(database, [&](Columns columns) {
    return columns == Columns::kLines ? PutLines(database, contact)
                                      : PutLinesAndAddress(database, contact);
  });
}

absl::StatusOr<acme::Contact> Get(Database& database, const std::string& id) {
  return WithColumns(database, [&](Columns columns) -> absl::StatusOr<acme::Contact> {
    ASSIGN_OR_RETURN(Statement get, database.Prepare(Select(columns, "WHERE id = ?")));
    ASSIGN_OR_RETURN(const bool found, get.Bind(id).Step());
    if (!found) return absl::NotFoundError(absl::StrCat("no contact ", id));
    return Read(get, columns);
  });
}

// The next contacts by id.
absl::StatusOr<std::vector<acme::Contact>> Page(Database& database, const std::string& after) {
  const auto read = [&](Columns columns) -> absl::StatusOr<std::vector<acme::Contact>> {
    ASSIGN_OR_RETURN(Statement page,
                     database.Prepare(Select(columns, "WHERE id > ? ORDER BY id LIMIT ?")));
    page.Bind(after).Bind(kListPage);
    std::vector<acme::Contact> contacts;
    while (true) {
      ASSIGN_OR_RETURN(const bool row, page.Step());
      if (!row) return contacts;
      contacts.push_back(Read(page, columns));
    }
  };
  return WithColumns(database, read);
}

class AddressBook : public acme::AddressBook::Service {
 public:
  explicit AddressBook(Database database) : database_(std::move(database)) {}

  grpc::Status Put(grpc::ServerContext*, const acme::PutRequest* request,
                   acme::Contact* contact) override {
    *contact = request->contact();
    return Store(*contact);
  }

  grpc::Status Get(grpc::ServerContext*, const acme::GetRequest* request,
                   acme::Contact* contact) override {
    auto found = database_.With([&](Database& db) { return addressbook::Get(db, request->id()); });
    if (!found.ok()) return ToGrpc(found.status());
    *contact = *std::move(found);
    return grpc::Status::OK;
  }

  // Page by page, so that neither a long list nor a slow caller holds the database.
  grpc::Status List(grpc::ServerContext*, const acme::ListRequest*,
                    grpc::ServerWriter<acme::Contact>* writer) override {
    std::string after;
    while (true) {
      const auto page = database_.With([&](Database& db) { return Page(db, after); });
      if (!page.ok()) return ToGrpc(page.status());
      for (const acme::Contact& contact : *page) {
        if (!writer->Write(contact)) return grpc::Status::CANCELLED;
      }
      if (page->size() < kListPage) return grpc::Status::OK;
      after = page->back().id();
    }
  }

  grpc::Status Import(grpc::ServerContext*, grpc::ServerReader<acme::PutRequest>* reader,
                      acme::ImportResponse* response) override {
    acme::PutRequest request;
    while (reader->Read(&request)) {
      const grpc::Status status = Store(request.contact());
      if (!status.ok()) return status;
      response->set_contacts(response->contacts() + 1);
    }
    return grpc::Status::OK;
  }

 private:
  grpc::Status Store(const acme::Contact& contact) {
    if (contact.id().empty()) return {grpc::INVALID_ARGUMENT, "a contact needs an id"};
    if (contact.address_line1().find('\n') != std::string::npos) {
      return {grpc::INVALID_ARGUMENT, "address_line1 is one line; put the rest in address_line2"};
    }
    return ToGrpc(database_.With([&](Database& db) { return addressbook::Put(db, contact); }));
  }

  SharedDatabase database_;
};

absl::StatusOr<std::unique_ptr<grpc::Service>> Make(Database database) {
  RETURN_IF_ERROR(CheckLines(database));
  return std::make_unique<AddressBook>(std::move(database));
}

}  // namespace
}  // namespace addressbook

int main(int argc, char** argv) {
  return addressbook::RunServer(argc, argv, "2.1.0", &addressbook::Make);
}
