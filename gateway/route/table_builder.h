// Compiles resources into RouteTables, off the workers, on one thread. Keeps what it compiled, so
// that a change costs what it touches: one pin among a million copies one shard of some hundred
// pins, and the new table shares the rest.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "gateway/route/route_table.h"
#include "google/protobuf/repeated_field.h"
#include "pinion/routing/v1/routing.pb.h"

namespace pinion::route {

// Resources may come in any order, also before what they refer to: what is missing shows in Build()
// as a route that is refused.
class TableBuilder {
 public:
  TableBuilder();
  ~TableBuilder();
  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  // Puts or deletes one resource. Putting one that exists replaces it; deleting one that does not
  // is nothing. InvalidArgument or AlreadyExists (a gRPC service name or an identity that another
  // owner holds), with a message that says what to do: nothing has changed.
  absl::Status Apply(const routing::v1::Change& change);
  absl::Status Put(const routing::v1::Resource& resource);
  absl::Status Delete(const routing::v1::Resource& resource);

  // Puts all, in order, as Put() does each; faster for many, since what the coming ones will look
  // up is fetched from memory meanwhile. Stops at the first error. `put` hears of each that was
  // put.
  absl::Status PutAll(const google::protobuf::RepeatedPtrField<routing::v1::Resource>& resources,
                      absl::FunctionRef<void(const routing::v1::Resource&)> put);

  // What Version.schema_digest stands for: a serialised FileDescriptorSet, which is read here.
  // Survives Clear(), and the first counts: a digest never changes its meaning.
  void PutSchema(const std::string& digest, std::string file_descriptor_set);

  // Forgets all resources, for a new snapshot. Version ids stay what they were.
  void Clear();

  // A table of what has been applied so far. Never null.
  std::shared_ptr<const RouteTable> Build();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinion::route
