// addressbook_v2: the address book at 2.0.0, where `address` has become two lines. It shares the
// table with 1.0.0:
//
//   reads   the lines where they are, else what the old column says   (new-or-old)
//   writes  the lines and the old column, in one statement            (both)
//   a contact read without lines gets them written then               (lazy migration)
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acme/addressbook.grpc.pb.h"
#include "base/status_macros.h"
#include "examples/addressbook/db/address_lines.h"
#include "examples/addressbook/db/migrations.h"
#include "examples/addressbook/db/sqlite.h"
#include "examples/addressbook/server/host.h"

namespace addressbook {
namespace {

constexpr int kListPage = 100;
constexpr char kColumns[] = "id, name, address, address_line1, address_line2";

struct Row {
  acme::Contact contact;
  std::string address;  // the old column
  bool has_lines;
};

// New-or-old.
Row Read(const Statement& row) {
  Row result;
  result.address = row.Text(2);
  const std::optional<std::string> line1 = row.NullableText(3);
  result.has_lines = line1.has_value();
  const AddressLines lines =
      result.has_lines ? AddressLines{*line1, row.Text(4)} : SplitAddress(result.address);
  result.contact.set_id(row.Text(0));
  result.contact.set_name(row.Text(1));
  result.contact.set_address_line1(lines.line1);
  result.contact.set_address_line2(lines.line2);
  return result;
}

// Both.
absl::Status Put(Database& database, const acme::Contact& contact) {
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

// Writes the lines that were derived from `row.address`, unless somebody else has written the
// contact since.
absl::Status Migrate(Database& database, const Row& row) {
  ASSIGN_OR_RETURN(Statement migrate,
                   database.Prepare("UPDATE contacts SET address_line1 = ?, address_line2 = ? "
                                    "WHERE id = ? AND address = ? AND address_line1 IS NULL"));
  return migrate.Bind(row.contact.address_line1())
      .Bind(row.contact.address_line2())
      .Bind(row.contact.id())
      .Bind(row.address)
      .Run();
}

absl::StatusOr<Row> Find(Database& database, const std::string& id) {
  ASSIGN_OR_RETURN(Statement get, database.Prepare(absl::StrCat("SELECT ", kColumns,
                                                                " FROM contacts WHERE id = ?")));
  ASSIGN_OR_RETURN(const bool found, get.Bind(id).Step());
  if (!found) return absl::NotFoundError(absl::StrCat("no contact ", id));
  return Read(get);
}

absl::StatusOr<acme::Contact> Get(Database& database, const std::string& id) {
  ASSIGN_OR_RETURN(Row row, Find(database, id));
  // Not worth failing a read, for instance on a full disk: the next one tries again.
  if (!row.has_lines) Migrate(database, row).IgnoreError();
  return std::move(row.contact);
}

// The next contacts by id. A list migrates nothing: it would be one long write.
absl::StatusOr<std::vector<acme::Contact>> Page(Database& database, const std::string& after) {
  ASSIGN_OR_RETURN(Statement page,
                   database.Prepare(absl::StrCat(
                       "SELECT ", kColumns, " FROM contacts WHERE id > ? ORDER BY id LIMIT ?")));
  page.Bind(after).Bind(kListPage);
  std::vector<acme::Contact> contacts;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, page.Step());
    if (!row) return contacts;
    contacts.push_back(Read(page).contact);
  }
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
  RETURN_IF_ERROR(CheckExpanded(database));
  return std::make_unique<AddressBook>(std::move(database));
}

}  // namespace
}  // namespace addressbook

int main(int argc, char** argv) {
  return addressbook::RunServer(argc, argv, "2.0.0", &addressbook::Make);
}
