#include "registry/model/errors.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/deterministic_bytes.h"
#include "base/nearest.h"
#include "google/rpc/error_details.pb.h"

namespace pinion::model {
namespace {

constexpr size_t kNearest = 10;

}  // namespace

absl::Status Refusal(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                     Metadata metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain("pinion");
  for (auto& [name, value] : metadata) (*info.mutable_metadata())[name] = std::move(value);
  absl::Status status(code, message);
  status.SetPayload(kErrorInfoUrl, absl::Cord(DeterministicBytes(info)));
  return status;
}

absl::Status UnknownName(absl::string_view reason, absl::string_view what, absl::string_view asked,
                         const std::vector<std::string>& candidates, absl::string_view hint,
                         Metadata metadata) {
  const std::vector<std::string> nearest = NearestNames(asked, candidates, kNearest);
  const std::string there = nearest.empty()
                                ? "there is none yet"
                                : absl::StrCat("nearest: ", absl::StrJoin(nearest, ", "));
  metadata.emplace_back(std::string(what), std::string(asked));
  metadata.emplace_back("nearest", absl::StrJoin(nearest, ","));
  return Refusal(absl::StatusCode::kNotFound, reason,
                 absl::StrCat("no ", what, " '", asked, "' (", there, "); ", hint),
                 std::move(metadata));
}

absl::Status RevisionConflict(absl::string_view object, int64_t expected, int64_t actual) {
  const std::string now =
      actual == 0 ? "it does not exist" : absl::StrCat("it is at revision ", actual, " now");
  const std::string then =
      expected == 0 ? "it should not exist" : absl::StrCat("revision ", expected, " was expected");
  return Refusal(absl::StatusCode::kAborted, "REVISION_CONFLICT",
                 absl::StrCat(object, " was changed by somebody else: ", then, ", but ", now,
                              "; read it again and decide anew"),
                 {{"object", std::string(object)},
                  {"expected_revision", absl::StrCat(expected)},
                  {"revision", absl::StrCat(actual)}});
}

absl::Status WithReason(const absl::Status& status, absl::string_view reason, Metadata metadata) {
  return Refusal(status.code(), reason, status.message(), std::move(metadata));
}

absl::Status Damaged(absl::string_view key) {
  return Refusal(absl::StatusCode::kDataLoss, "RECORD_DAMAGED",
                 absl::StrCat("the registry's record ", key,
                              " is damaged: it is none that a registry writes; restore the store "
                              "from a backup"),
                 {{"key", std::string(key)}});
}

std::string ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoUrl);
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

bool IsRefusal(const absl::Status& status) {
  if (absl::IsUnavailable(status)) return false;  // the store is away
  const std::string reason = ReasonOf(status);
  return !reason.empty() && reason != "CONTENTION" && reason != "STORE_FULL";
}

std::vector<std::string> NearestNames(absl::string_view word, std::vector<std::string> candidates,
                                      size_t limit) {
  std::vector<std::pair<size_t, std::string>> ranked;
  ranked.reserve(candidates.size());
  for (std::string& candidate : candidates) {
    const size_t distance = EditDistance(std::string(word), candidate);
    ranked.emplace_back(distance, std::move(candidate));
  }
  std::sort(ranked.begin(), ranked.end());
  if (ranked.size() > limit) ranked.resize(limit);
  std::vector<std::string> nearest;
  for (auto& [distance, candidate] : ranked) nearest.push_back(std::move(candidate));
  return nearest;
}

}  // namespace pinion::model
