// addressbook_pages: moves the pointer to the version of the static pages that visitors get,
// forwards or back.
#include "examples/addressbook/server/pages.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  CLI::App app{"Moves the pointer of the static pages to a version."};
  std::string root, version;
  app.add_option("version", version, "for instance 2.0.0")->required();
  app.add_option("--static-root", root, "the folder of the versions")->required();
  CLI11_PARSE(app, argc, argv);

  const absl::Status status = addressbook::MovePointer(root, version);
  if (!status.ok()) {
    std::cerr << "addressbook_pages: " << status.message() << "\n";
    return 1;
  }
  std::cout << "current -> " << version << "\n";
  return 0;
}
