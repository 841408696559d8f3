#include "registry/store/etcd_encoding.h"

namespace pinion::store {
namespace {

using etcdserverpb::RequestOp;
using etcdserverpb::ResponseOp;
using Wire = etcdserverpb::Compare;

Wire::CompareResult ResultOf(Compare::Is is) {
  switch (is) {
    case Compare::Is::kEqual:
      return Wire::EQUAL;
    case Compare::Is::kNotEqual:
      return Wire::NOT_EQUAL;
    case Compare::Is::kLess:
      return Wire::LESS;
    case Compare::Is::kGreater:
      return Wire::GREATER;
  }
  return Wire::EQUAL;
}

}  // namespace

KeyValue EtcdEncoding::Decode(const mvccpb::KeyValue& kv) const {
  return {.key = Strip(kv.key()),
          .value = kv.value(),
          .create_revision = kv.create_revision(),
          .mod_revision = kv.mod_revision(),
          .version = kv.version(),
          .lease = kv.lease()};
}

Wire EtcdEncoding::Encode(const Compare& compare) const {
  Wire wire;
  wire.set_key(KeyOf(compare.key));
  if (!compare.end.empty()) wire.set_range_end(KeyOf(compare.end));
  wire.set_result(ResultOf(compare.is));
  switch (compare.number) {
    case Compare::Number::kModRevision:
      wire.set_target(Wire::MOD);
      wire.set_mod_revision(compare.value);
      break;
    case Compare::Number::kCreateRevision:
      wire.set_target(Wire::CREATE);
      wire.set_create_revision(compare.value);
      break;
    case Compare::Number::kVersion:
      wire.set_target(Wire::VERSION);
      wire.set_version(compare.value);
      break;
  }
  return wire;
}

RequestOp EtcdEncoding::Encode(const Op& op) const {
  RequestOp wire;
  if (const auto* put = std::get_if<Put>(&op)) {
    etcdserverpb::PutRequest& request = *wire.mutable_request_put();
    request.set_key(KeyOf(put->key));
    request.set_value(put->value);
    request.set_lease(put->lease);
    request.set_prev_kv(true);
  } else if (const auto* del = std::get_if<Delete>(&op)) {
    wire.mutable_request_delete_range()->set_key(KeyOf(del->key));
    wire.mutable_request_delete_range()->set_prev_kv(true);
  } else {
    wire.mutable_request_range()->set_key(KeyOf(std::get<Get>(op).key));
  }
  return wire;
}

etcdserverpb::RangeRequest EtcdEncoding::Encode(const RangeRequest& request) const {
  const KeyRange range = RangeOf(request.range);
  etcdserverpb::RangeRequest wire;
  wire.set_key(range.key);
  wire.set_range_end(range.end);
  wire.set_revision(request.revision);
  wire.set_limit(static_cast<int64_t>(request.limit));
  wire.set_keys_only(request.keys_only);
  wire.set_count_only(request.count_only);
  if (request.descending) {
    wire.set_sort_order(etcdserverpb::RangeRequest::DESCEND);
    wire.set_sort_target(etcdserverpb::RangeRequest::KEY);
  }
  return wire;
}

std::optional<KeyValue> EtcdEncoding::Decode(const ResponseOp& response) const {
  switch (response.response_case()) {
    case ResponseOp::kResponsePut:
      if (!response.response_put().has_prev_kv()) return std::nullopt;
      return Decode(response.response_put().prev_kv());
    case ResponseOp::kResponseDeleteRange:
      if (response.response_delete_range().prev_kvs().empty()) return std::nullopt;
      return Decode(response.response_delete_range().prev_kvs(0));
    case ResponseOp::kResponseRange:
      if (response.response_range().kvs().empty()) return std::nullopt;
      return Decode(response.response_range().kvs(0));
    default:
      return std::nullopt;
  }
}

}  // namespace pinion::store
