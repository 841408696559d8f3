#include "registry/store/txn.h"

#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace pinion::store {
namespace {

// What ValidateTxn adds up over a transaction's lists.
struct Totals {
  size_t bytes = 0;
  bool empty_key = false;
};

void Count(const Op& op, Totals& totals) {
  const std::string* key = nullptr;
  if (const auto* put = std::get_if<Put>(&op)) {
    key = &put->key;
    totals.bytes += put->value.size();
  } else if (const auto* del = std::get_if<Delete>(&op)) {
    key = &del->key;
  } else {
    key = &std::get<Get>(op).key;
  }
  totals.bytes += key->size();
  totals.empty_key |= key->empty();
}

absl::Status ValidateOps(const std::vector<Op>& ops, Totals& totals) {
  if (ops.size() > kMaxTxnOps) {
    return absl::InvalidArgumentError(
        absl::StrCat("a transaction of ", ops.size(), " operations; at most ", kMaxTxnOps));
  }
  absl::flat_hash_set<std::string_view> changed;
  for (const Op& op : ops) {
    Count(op, totals);
    const std::string* key = nullptr;
    if (const auto* put = std::get_if<Put>(&op)) key = &put->key;
    if (const auto* del = std::get_if<Delete>(&op)) key = &del->key;
    if (key != nullptr && !changed.insert(*key).second) {
      return absl::InvalidArgumentError(absl::StrCat("a transaction changes '", *key, "' twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Compare Compare::Unchanged(std::string key, Revision mod_revision) {
  return {std::move(key), Number::kModRevision, Is::kEqual, mod_revision};
}

Compare Compare::NothingPutSince(const KeyRange& range, Revision revision) {
  return {range.key, Number::kModRevision, Is::kLess, revision + 1, range.end};
}

KeyRange KeyRange::Prefix(std::string prefix) {
  std::string end = prefix;
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  CHECK(!end.empty());
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return {std::move(prefix), std::move(end)};
}

bool KeyRange::Contains(const std::string& other) const {
  return end.empty() ? other == key : key <= other && other < end;
}

absl::Status ValidateTxn(const Txn& txn) {
  if (txn.compares.size() > kMaxTxnOps) {
    return absl::InvalidArgumentError(
        absl::StrCat("a transaction of ", txn.compares.size(), " compares; at most ", kMaxTxnOps));
  }
  Totals totals;
  for (const Compare& compare : txn.compares) {
    totals.bytes += compare.key.size() + compare.end.size();
    totals.empty_key |= compare.key.empty();
    const bool since =
        compare.number == Compare::Number::kModRevision && compare.is == Compare::Is::kLess;
    if (!compare.end.empty() && !since) {
      return absl::InvalidArgumentError("a range can only be compared by what was put since");
    }
  }
  RETURN_IF_ERROR(ValidateOps(txn.then, totals));
  RETURN_IF_ERROR(ValidateOps(txn.otherwise, totals));
  if (totals.empty_key) return absl::InvalidArgumentError("a transaction with an empty key");
  if (totals.bytes > kMaxTxnBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a transaction of ", totals.bytes, " bytes; at most ", kMaxTxnBytes));
  }
  return absl::OkStatus();
}

bool Holds(const Compare& compare, const KeyValue* kv) {
  int64_t number = 0;
  if (kv != nullptr) {
    switch (compare.number) {
      case Compare::Number::kModRevision:
        number = kv->mod_revision;
        break;
      case Compare::Number::kCreateRevision:
        number = kv->create_revision;
        break;
      case Compare::Number::kVersion:
        number = kv->version;
        break;
    }
  }
  switch (compare.is) {
    case Compare::Is::kEqual:
      return number == compare.value;
    case Compare::Is::kNotEqual:
      return number != compare.value;
    case Compare::Is::kLess:
      return number < compare.value;
    case Compare::Is::kGreater:
      return number > compare.value;
  }
  return false;
}

}  // namespace pinion::store
