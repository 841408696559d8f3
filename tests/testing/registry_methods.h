// What the registry's gRPC services offer, for tests that leave out none of it.
#pragma once

#include <vector>

#include "google/protobuf/descriptor.h"
#include "pinion/registry/v1/access.pb.h"
#include "pinion/registry/v1/registry.pb.h"
#include "pinion/registry/v1/watch.pb.h"

namespace pinion::testing {

// Of every service that the registry's protos declare.
inline std::vector<const google::protobuf::MethodDescriptor*> AllRegistryMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const auto* file : {registry::v1::GetServiceRequest::descriptor()->file(),
                           registry::v1::WatchRequest::descriptor()->file(),
                           registry::v1::WhoAmIRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(file->service(i)->method(j));
      }
    }
  }
  return methods;
}

}  // namespace pinion::testing
