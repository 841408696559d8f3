// What each method of the registry takes: one table. What is not in it is denied. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"

namespace pinion::access {

enum class Need : uint8_t {
  kNothing,  // but a good credential
  kRead,     // any role
  kReview,   // reader
  kFollow,   // gateway
  kOwn,      // the object is the caller's own; one that is not there may be asked for by any role
  kCreate,   // as kOwn; one that is not there must be the caller's to create
  kPins,     // of a consumer: the consumer itself, or its owner
  kOperate,  // operator, who may all of the above too
};

// What a request is about, and so where its owner is found.
enum class About : uint8_t {
  kNothing,
  kService,
  kConsumer,
  kInstance,  // by its uid: the service that it serves
  kJob,       // by its id: what the job changes
  kChange,    // of StartJob: one pin, all pins of a service, or a job that is undone
};

struct Rule {
  const char* method;  // full name, "pinion.registry.v1.Registry.SetPin"
  Need need;
  About about = About::kNothing;
  const char* field = "";  // of the request, that names the object: "pin.consumer"
};

absl::Span<const Rule> AllRules();

// Null: nobody may call it.
const Rule* FindRule(absl::string_view method);

// The text, or the number as text, of that field of the rule; nullopt: the request has no such
// field.
std::optional<std::string> ObjectName(const Rule& rule, const google::protobuf::Message& request);

// Of a text field of the request itself; empty: it has none, or says nothing there.
std::string TextField(const google::protobuf::Message& request, const std::string& field);

}  // namespace pinion::access
