#include "gateway/watch/schema_fetcher.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "gateway/watch_limits.h"

namespace pinion::watch {
namespace {

constexpr char kPart[] = "watch";

}  // namespace

SchemaFetcher::SchemaFetcher(RoutingState& state, const std::string& snapshot_dir) : state_(state) {
  if (!snapshot_dir.empty()) store_.emplace(absl::StrCat(snapshot_dir, "/schemas"));
}

void SchemaFetcher::Load() {
  if (!store_.has_value()) return;
  std::vector<SchemaKey> missing;
  while (std::optional<SchemaKey> key = state_.TakeWantedSchema()) {
    absl::StatusOr<std::string> schema = store_->Load(key->digest);
    if (schema.ok()) {
      state_.PutSchema(*key, *std::move(schema));
      continue;
    }
    if (!absl::IsNotFound(schema.status())) log::Warning(kPart, schema.status().message());
    missing.push_back(*std::move(key));
  }
  for (SchemaKey& key : missing) state_.WantSchemaAgain(std::move(key));
}

void SchemaFetcher::Fetch(Channel& channel, const std::shared_ptr<Mailbox>& mailbox) {
  while (under_way_ < limits::kSchemaFetchesMax) {
    const std::optional<SchemaKey> key = state_.TakeWantedSchema();
    if (!key) return;
    ++under_way_;
    channel.FetchSchema(*key, mailbox);
  }
}

absl::Status SchemaFetcher::Take(Event& event) {
  --under_way_;
  if (!event.status.ok()) {
    log::Warning(kPart,
                 absl::StrCat("no schema of ", event.schema.service, " ", event.schema.version,
                              " for reflection: ", std::string(event.status.message())));
    if (absl::IsNotFound(event.status)) {
      state_.ForgetSchema(event.schema);
    } else {
      state_.WantSchemaAgain(std::move(event.schema));
    }
    return absl::OkStatus();
  }
  const absl::Status saved = store_.has_value()
                                 ? store_->Save(event.schema.digest, event.descriptor_set)
                                 : absl::OkStatus();
  state_.PutSchema(event.schema, std::move(event.descriptor_set));
  return saved;
}

void SchemaFetcher::Tidy() {
  if (store_.has_value()) store_->KeepOnly(state_.digests());
}

}  // namespace pinion::watch
