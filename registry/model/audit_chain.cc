#include "registry/model/audit_chain.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/sha256.h"

namespace pinion::model {
namespace {

using registry::v1::AuditHead;
using registry::v1::AuditLink;
using registry::v1::AuditLogState;
using registry::v1::AuditRecord;
using Heads = google::protobuf::RepeatedPtrField<AuditHead>;

constexpr size_t kHashBytes = 32;
// AuditLink.hash on the wire: field 15, a string of 32 bytes.
constexpr absl::string_view kHashTag = "\x7a\x20";

constexpr absl::string_view kTitle = "pinion audit head";
constexpr absl::string_view kEnd = "end of audit head";

// The value of field 1, if the bytes begin with it and it is shorter than 128 bytes.
std::optional<absl::string_view> FirstField(absl::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != '\x0a') return std::nullopt;
  const size_t size = static_cast<unsigned char>(bytes[1]);
  if (size >= 128 || bytes.size() - 2 < size) return std::nullopt;
  return bytes.substr(2, size);
}

std::optional<AuditHead> ParseHeadLine(const std::vector<std::string>& words) {
  AuditHead head;
  int32_t chain = 0;
  int64_t sequence = 0;
  if (words.size() != 5 || !absl::SimpleAtoi(words[1], &chain) || chain < 0 ||
      !absl::SimpleAtoi(words[2], &sequence) || words[4].size() != 2 * kHashBytes ||
      words[4].find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  head.set_chain(chain);
  head.set_sequence(sequence);
  head.set_last_id(words[3]);
  head.set_hash(absl::HexStringToBytes(words[4]));
  return head;
}

}  // namespace

std::string AuditHash(absl::string_view before, absl::string_view bytes) {
  Sha256 digest;
  digest.Add({before.data(), before.size()});
  digest.Add({bytes.data(), bytes.size()});
  return absl::HexStringToBytes(digest.Hex());
}

std::string ChainAuditRecord(const AuditRecord& record, AuditLink link, AuditHead& head) {
  head.set_sequence(head.sequence() + 1);
  head.set_last_id(record.id());
  link.set_chain(head.chain());
  link.set_sequence(head.sequence());
  link.clear_hash();
  std::string bytes = record.SerializeAsString() + link.SerializeAsString();
  head.set_hash(AuditHash(head.hash(), bytes));
  return absl::StrCat(bytes, kHashTag, head.hash());
}

std::optional<StoredAudit> ParseAudit(absl::string_view bytes) {
  StoredAudit stored;
  // A record's id comes first. The rest of it is not read here: to the link these are fields that
  // it does not know.
  const std::optional<absl::string_view> id = FirstField(bytes);
  if (!id.has_value() ||
      !stored.link.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::nullopt;
  }
  stored.id = std::string(*id);
  stored.hashed = bytes;
  if (stored.link.chain() == 0 && stored.link.hash().empty()) return stored;
  const size_t tail = kHashTag.size() + kHashBytes;
  if (bytes.size() < tail || bytes.substr(bytes.size() - tail, kHashTag.size()) != kHashTag ||
      bytes.substr(bytes.size() - kHashBytes) != stored.link.hash()) {
    return std::nullopt;
  }
  stored.hashed.remove_suffix(tail);
  return stored;
}

void AddUnchained(absl::string_view id, absl::string_view bytes, AuditHead& head) {
  head.set_sequence(head.sequence() + 1);
  head.set_hash(AuditHash(head.hash(), bytes));
  head.set_last_id(std::string(id));
}

const AuditHead* FindHead(int32_t chain, const Heads& heads) {
  const auto there = std::find_if(heads.begin(), heads.end(),
                                  [chain](const AuditHead& head) { return head.chain() == chain; });
  return there == heads.end() ? nullptr : &*there;
}

AuditHead& HeadOf(int32_t chain, Heads& heads) {
  int at = 0;
  while (at < heads.size() && heads.Get(at).chain() < chain) ++at;
  if (at < heads.size() && heads.Get(at).chain() == chain) return *heads.Mutable(at);
  heads.Add()->set_chain(chain);
  for (int i = heads.size() - 1; i > at; --i) heads.SwapElements(i, i - 1);
  return *heads.Mutable(at);
}

std::string AuditHeadText(const AuditLogState& state) {
  std::string text = absl::StrCat(
      kTitle, "\nregistry ", state.registry_id(), "\nrevision ", state.revision(), "\ntime ",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(state.time().seconds()),
                       absl::UTCTimeZone()),
      "\n");
  for (const AuditHead& head : state.heads()) {
    absl::StrAppend(&text, "chain ", head.chain(), " ", head.sequence(), " ", head.last_id(), " ",
                    absl::BytesToHexString(head.hash()), "\n");
  }
  return absl::StrCat(text, kEnd, "\n");
}

std::optional<AuditLogState> ParseAuditHeadText(absl::string_view text) {
  AuditLogState state;
  bool begun = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripSuffix(line, "\r");
    if (line == kTitle) begun = true;
    if (!begun || line == kTitle) continue;
    const bool whole = !state.registry_id().empty() && state.revision() > 0;
    if (line == kEnd) return whole ? std::optional(state) : std::nullopt;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    int64_t revision = 0;
    absl::Time time;
    std::string error;
    if (words[0] == "registry" && words.size() == 2) {
      state.set_registry_id(words[1]);
    } else if (words[0] == "revision" && words.size() == 2 &&
               absl::SimpleAtoi(words[1], &revision)) {
      state.set_revision(revision);
    } else if (words[0] == "time" && words.size() == 2 &&
               absl::ParseTime(absl::RFC3339_full, words[1], &time, &error)) {
      state.mutable_time()->set_seconds(absl::ToUnixSeconds(time));
    } else if (const auto head = ParseHeadLine(words); words[0] == "chain" && head.has_value()) {
      HeadOf(head->chain(), *state.mutable_heads()) = *head;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace pinion::model
