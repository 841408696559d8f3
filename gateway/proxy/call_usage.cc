#include "gateway/proxy/call_usage.h"

#include <utility>

#include "gateway/observability_limits.h"

namespace pinion::proxy {
namespace {

absl::string_view NameOf(const route::Consumer* consumer) {
  return consumer == nullptr ? absl::string_view() : consumer->name;
}

// Whether somebody may wait for the calls of the version to end, also where it is no more.
bool IsEnding(const route::RouteTable& table, const std::string& service, const std::string& name) {
  const route::ServiceEntry* entry = table.FindService(service);
  const route::VersionEntry* version = entry == nullptr ? nullptr : entry->FindVersion(name);
  return version == nullptr || version->state != routing::v1::ACTIVE;
}

}  // namespace

CallUsage::Version& CallUsage::AddVersion(const route::VersionEntry& version) {
  if (version.id >= versions_.size()) versions_.resize(version.id + 1);
  Version& added = versions_[version.id];
  added.service = version.service;
  added.name = version.name;
  return added;
}

CallUsage::Row* CallUsage::AddRow(const Key& key, const route::RouteTable& table,
                                  const route::Consumer* consumer, absl::string_view path) {
  if (rows_.size() >= limits::kUsageRowsMax) return nullptr;
  Row& row = rows_[key];
  row.generation = table.generation();
  row.consumer = std::string(NameOf(consumer));
  // What callers make up is no row of its own.
  if (key.method != 0) row.method = std::string(path);
  return &row;
}

// Another table may give a consumer's or a method's number to another one.
CallUsage::Row* CallUsage::CheckNames(Row& row, const route::RouteTable& table,
                                      const route::Consumer* consumer, absl::string_view path) {
  if (row.consumer != NameOf(consumer)) return nullptr;
  if (!row.method.empty() && row.method != path) return nullptr;
  row.generation = table.generation();
  return &row;
}

route::Usage CallUsage::Take(const route::RouteTable& table) {
  route::Usage usage;
  absl::erase_if(rows_, [&](auto& entry) {
    Row& row = entry.second;
    if (row.calls == 0) return true;
    const Version& version = versions_[entry.first.version];
    usage.rows.push_back({.service = version.service,
                          .version = version.name,
                          .consumer = row.consumer,
                          .method = row.method,
                          .calls = std::exchange(row.calls, 0),
                          .last = row.last});
    return false;
  });
  for (Version& version : versions_) {
    if (version.others > 0) {
      usage.rows.push_back({.service = version.service,
                            .version = version.name,
                            .others = true,
                            .calls = std::exchange(version.others, 0),
                            .last = version.last_other});
    }
    if (version.open > 0 && IsEnding(table, version.service, version.name)) {
      usage.open.push_back({version.service, version.name, version.open});
    }
  }
  return usage;
}

}  // namespace pinion::proxy
