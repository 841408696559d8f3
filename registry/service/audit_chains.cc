#include "registry/service/audit_chains.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "base/status_macros.h"
#include "registry/model/keys.h"
#include "registry/model/store_format.h"
#include "registry/service/codec.h"

namespace pinion::service {

using registry::v1::AuditHead;

AuditChains::AuditChains() : free_(model::kAuditChains), heads_(model::kAuditChains + 1) {
  std::iota(free_.begin(), free_.end(), 1);
  // Registries on one store begin with different ones.
  std::random_device random;
  std::shuffle(free_.begin(), free_.end(), random);
  for (int32_t number = 1; number <= model::kAuditChains; ++number) {
    heads_[static_cast<size_t>(number)].value.set_chain(number);
  }
}

void AuditChains::SetFormat(Format format) {
  MutexLock lock(&mutex_);
  format_ = std::move(format);
}

AuditChains::Format AuditChains::format() {
  MutexLock lock(&mutex_);
  return format_;
}

AuditChains::Turn AuditChains::Take(bool begin) {
  MutexLock lock(&mutex_);
  if (!begin && format_.value.format() < model::kChainedAuditFormat) {
    return Turn(*this, 0, Head(), format_);
  }
  while (free_.empty()) freed_.Wait(&mutex_);
  const int32_t number = free_.front();
  free_.pop_front();
  return Turn(*this, number, heads_[static_cast<size_t>(number)], format_);
}

void AuditChains::GiveBack(int32_t number, Head head) {
  MutexLock lock(&mutex_);
  heads_[static_cast<size_t>(number)] = std::move(head);
  free_.push_front(number);
  freed_.Signal();
}

AuditChains::Turn::~Turn() {
  if (number_ != 0) chains_.GiveBack(number_, std::move(head_));
}

std::string AuditChains::Turn::Key() const {
  return chained() ? model::AuditHeadKey(number_) : model::kFormatKey;
}

void AuditChains::Turn::Guard(const AuditHead& next, store::Txn& txn) const {
  // Without chains, a migration may come first.
  txn.compares.push_back(
      store::Compare::Unchanged(Key(), chained() ? head_.revision : format_.revision));
  txn.otherwise.push_back(store::Get{Key()});
  if (chained()) txn.then.push_back(store::Put{Key(), next.SerializeAsString()});
}

absl::StatusOr<bool> AuditChains::Turn::Ended(const store::TxnResult& result,
                                              const AuditHead& next) {
  if (result.succeeded) {
    if (chained()) head_ = {next, result.revision};
    return true;
  }
  const std::optional<store::KeyValue>& there = result.results.at(0);
  const store::Revision revision = there.has_value() ? there->mod_revision : 0;
  if (revision == (chained() ? head_.revision : format_.revision)) return true;
  if (!there.has_value()) return model::Damaged(Key());  // neither is ever deleted
  if (chained()) {
    ASSIGN_OR_RETURN(auto head, Decode<AuditHead>(*there));
    head_ = {std::move(head.value), revision};
  } else {
    ASSIGN_OR_RETURN(auto format, Decode<registry::v1::StoreFormat>(*there));
    chains_.SetFormat({std::move(format.value), revision});
  }
  return false;
}

}  // namespace pinion::service
