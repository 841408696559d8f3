// addressbook_v1: the address book as it was at 1.0.0. It knows nothing of 2.0.0 and is never
// changed for it: this program, as it stands, runs beside 2.0.0, after it, and before it. Compare
// with v2.cc to see what the expansion asked of the code.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acme/addressbook.grpc.pb.h"
#include "base/status_macros.h"
#include "examples/addressbook/db/migrations.h"
#include "examples/addressbook/db/sqlite.h"
#include "examples/addressbook/server/host.h"

namespace addressbook {
namespace {

constexpr int kListPage = 100;

// Names its columns, and so does not notice others.
constexpr char kColumns[] = "id, name, address";

acme::Contact Read(const Statement& row) {
  acme::Contact contact;
  contact.set_id(row.Text(0));
  contact.set_name(row.Text(1));
  contact.set_address(row.Text(2));
  return contact;
}

absl::Status Put(Database& database, const acme::Contact& contact) {
  ASSIGN_OR_RETURN(Statement put,
                   database.Prepare("INSERT INTO contacts (id, name, address) VALUES (?, ?, ?) "
                                    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
                                    "address = excluded.address"));
  return put.Bind(contact.id()).Bind(contact.name()).Bind(contact.address()).Run();
}

absl::StatusOr<acme::Contact> Get(Database& database, const std::string& id) {
  ASSIGN_OR_RETURN(Statement get, database.Prepare(absl::StrCat("SELECT ", kColumns,
                                                                " FROM contacts WHERE id = ?")));
  ASSIGN_OR_RETURN(const bool found, get.Bind(id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("no contact ", id));
  return Read(get);
}

// The next contacts by id.
absl::StatusOr<std::vector<acme::Contact>> Page(Database& database, const std::string& after) {
  ASSIGN_OR_RETURN(Statement page,
                   database.Prepare(absl::StrCat(
                       "SELECT ", kColumns, " FROM contacts WHERE id > ? ORDER BY id LIMIT ?")));
  page.Bind(after).Bind(kListPage);
  std::vector<acme::Contact> contacts;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, page.Step());
    if (!row) return contacts;
    contacts.push_back(Read(page));
  }
}

class AddressBook : public acme::AddressBook::Service {
 public:
  explicit AddressBook(Database database) : database_(std::move(database)) {}

  grpc::Status Put(grpc::ServerContext*, const acme::PutRequest* request,
                   acme::Contact* contact) override {
    *contact = request->contact();
    if (contact->id().empty()) return {grpc::INVALID_ARGUMENT, "a contact needs an id"};
    return ToGrpc(database_.With([&](Database& db) { return addressbook::Put(db, *contact); }));
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

 private:
  SharedDatabase database_;
};

absl::StatusOr<std::unique_ptr<grpc::Service>> Make(Database database) {
  RETURN_IF_ERROR(CheckCreated(database));
  return std::make_unique<AddressBook>(std::move(database));
}

}  // namespace
}  // namespace addressbook

int main(int argc, char** argv) {
  return addressbook::RunServer(argc, argv, "1.0.0", &addressbook::Make);
}
