// What a gateway starts from when the registry is away: a file of records that a disk may have
// spoilt.
#include "gateway/watch/recording.h"

#include <string>
#include <vector>

#include "base/check.h"
#include "gateway/watch/watch_messages.h"
#include "tests/fuzz/record_input.h"

namespace pinion::fuzz {
namespace {}  // namespace

std::vector<std::string> Seeds() {
  const std::string snapshot = watch::Snapshot("r", 5).SerializeAsString();
  const std::string pin = watch::PinSet("r", 6, "^2").SerializeAsString();
  const std::string unpinned = watch::PinSet("r", 7, "@stable").SerializeAsString();
  const std::string schema = watch::Message(R"pb(registry_id: "r"
                                                 snapshot { first: true revision: 9 })pb")
                                 .SerializeAsString();
  return {std::string(1, '\1') + Piece(snapshot) + Piece(pin) + Piece(unpinned),
          std::string(1, '\1') + Piece(snapshot) + Piece(schema) + Piece(pin),
          std::string("\0PINREC1\n\1\0\0\0\0\0\0\0x", 18)};
}

void Run(absl::string_view input) {
  static const Folder folder;
  WriteRecords(folder.path() + "/routing.snapshot", input);

  auto recording = watch::Recording::Open(folder.path());
  CHECK(recording.ok());
  watch::RoutingState state("gw");
  std::vector<std::string> remarks;
  const absl::Status status = (*recording)->Load(state, remarks);
  if (!status.ok()) {
    CHECK(status.code() == absl::StatusCode::kNotFound ||
          status.code() == absl::StatusCode::kDataLoss);
    return;
  }
  CHECK(state.changed());
  const auto table = state.TakeTable();
  if (table.ok()) CHECK(!watch::VersionFor(**table).empty());
  // It goes on from there.
  state.Receive(watch::PinSet(state.registry_id(), state.revision() + 1, "1.0.0")).IgnoreError();
}

}  // namespace pinion::fuzz
