// The contract's words in etcd's: keys under a prefix, compares, operations, and what comes back.
// Pure.
//
//   PREFIX d/KEY    the pair under KEY
//   PREFIX l/…      the lanes of commits (etcd_commit.h)
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "etcd/rpc.pb.h"
#include "registry/store/store.h"

namespace pinion::store {

class EtcdEncoding {
 public:
  explicit EtcdEncoding(const std::string& prefix)
      : all_(KeyRange::Prefix(prefix)), data_(prefix + "d/"), lanes_(prefix + "l/") {}

  // Everything that a store on this prefix writes.
  const KeyRange& all() const { return all_; }
  const std::string& lanes() const { return lanes_; }

  std::string KeyOf(const std::string& key) const { return data_ + key; }
  KeyRange RangeOf(const KeyRange& range) const {
    return {data_ + range.key, range.end.empty() ? "" : data_ + range.end};
  }
  // Whether etcd's `key` is one of the contract's.
  bool IsData(const std::string& key) const { return key.compare(0, data_.size(), data_) == 0; }
  // REQUIRES: IsData().
  std::string Strip(const std::string& key) const { return key.substr(data_.size()); }

  KeyValue Decode(const mvccpb::KeyValue& kv) const;
  etcdserverpb::Compare Encode(const Compare& compare) const;
  etcdserverpb::RequestOp Encode(const Op& op) const;
  etcdserverpb::RangeRequest Encode(const RangeRequest& request) const;
  // What an operation gave, as TxnResult wants it.
  std::optional<KeyValue> Decode(const etcdserverpb::ResponseOp& response) const;

 private:
  const KeyRange all_;
  const std::string data_;
  const std::string lanes_;
};

}  // namespace pinion::store
