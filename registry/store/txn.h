// A change of a store: what must hold, and what is put, deleted and read then, as one step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace pinion::store {

using Revision = int64_t;
using LeaseId = int64_t;  // 0: none

// Of each list of a transaction, and of its keys and values: etcd's less what its store adds.
inline constexpr size_t kMaxTxnOps = 120;
inline constexpr size_t kMaxTxnBytes = 1472 * 1024;

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision = 0;  // of the put that made the key exist
  Revision mod_revision = 0;     // of the last put
  int64_t version = 0;           // puts since it exists, from 1
  LeaseId lease = 0;
};

// Keys from `key` up to, without, `end`; `end` empty: only `key`.
struct KeyRange {
  std::string key;
  std::string end;

  static KeyRange Single(std::string key) { return {std::move(key), ""}; }
  static KeyRange Prefix(std::string prefix);  // REQUIRES: not all bytes 0xff
  bool Contains(const std::string& other) const;
};

// Holds if the number stands so to `value`. All numbers of a key that does not exist are 0.
struct Compare {
  enum class Number { kModRevision, kCreateRevision, kVersion };
  enum class Is { kEqual, kNotEqual, kLess, kGreater };

  std::string key;
  Number number = Number::kModRevision;
  Is is = Is::kEqual;
  int64_t value = 0;
  // Not empty: it must hold for every key from `key` up to, without, `end`; of a range without keys
  // it does. Only of NothingPutSince(), which costs what was changed since, not what there is.
  std::string end = {};

  static Compare Unchanged(std::string key, Revision mod_revision);  // 0: still absent
  static Compare Absent(std::string key) { return Unchanged(std::move(key), 0); }
  // No key in `range` was put after `revision`; what was put and is gone again does not count.
  static Compare NothingPutSince(const KeyRange& range, Revision revision);
};

struct Put {
  std::string key;
  std::string value;
  LeaseId lease = 0;  // must live; 0 detaches the key from the one it had
};
struct Delete {
  std::string key;
};
struct Get {
  std::string key;
};
using Op = std::variant<Put, Delete, Get>;

// All compares hold → `then`, else `otherwise`; as one step, at one revision. A key is changed at
// most once in a list.
struct Txn {
  std::vector<Compare> compares;
  std::vector<Op> then;
  std::vector<Op> otherwise;
};

struct TxnResult {
  bool succeeded = false;  // all compares held
  Revision revision = 0;   // that this transaction made, or the store's if it changed nothing
  // One for each op of the list that ran. Get: the pair, if it exists; Delete: what was deleted;
  // Put: what stood there before.
  std::vector<std::optional<KeyValue>> results;
};

// InvalidArgument: beyond the limits above, an empty key, a key changed twice, or a range compared
// otherwise than by NothingPutSince(). Every implementation begins with it.
absl::Status ValidateTxn(const Txn& txn);

// Whether `compare` holds for what stands under its key (null: nothing).
bool Holds(const Compare& compare, const KeyValue* kv);

}  // namespace pinion::store
