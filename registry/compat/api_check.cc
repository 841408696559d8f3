#include "registry/compat/api_check.h"

#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "registry/compat/collector.h"
#include "registry/compat/exchange.h"

namespace pinion::compat {
namespace {

using google::protobuf::MethodOptions;

class ApiCheck {
 public:
  ApiCheck(const Elements& before, const Elements& now, const Served& served)
      : before_(before),
        now_(now),
        served_before_(served.before.begin(), served.before.end()),
        served_now_(served.now.begin(), served.now.end()),
        exchange_(before, now, out_) {}

  absl::StatusOr<std::vector<Finding>> Run() && {
    for (const auto& [path, file] : now_.files()) packages_.insert(file->proto->package());
    for (const auto& [name, service] : before_.services()) {
      if (!served_before_.contains(name)) {
        SetApart(*service);
      } else if (!service->file->is_exempt) {
        CompareServices(*service);
      }
    }
    for (const auto& [key, field] : before_.extensions()) {
      if (IsOption(*field)) SetApart(field->type_name());
    }
    // After all methods, which say what is used by one.
    for (const auto& [name, message] : before_.messages()) CompareUncalled(*message);
    for (const auto& [key, field] : before_.extensions()) CompareUncalled(*field);
    if (exchange_.is_too_large()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the two schemas cannot be compared in ", kMaxSteps,
                       " steps: that many types of the one meet types of the other, as they do "
                       "where types hold each other in circles of different lengths"));
    }
    return std::move(out_).Take();
  }

 private:
  void ReportPackage(const File& file) {
    const std::string& package = file.proto->package();
    out_.Add("PACKAGE_NO_DELETE", Severity::kBreaking, package, nullptr, std::nullopt,
             absl::StrCat("package ", package,
                          " was deleted: nothing answers those who still use what was in it"));
  }

  void CompareServices(const Service& before) {
    const auto it = now_.services().find(before.full_name);
    const bool declared = it != now_.services().end();
    if (declared && served_now_.contains(before.full_name)) {
      for (const auto& [name, method] : before.methods) CompareMethods(method, *it->second);
      return;
    }
    SetApart(before);
    if (declared) {
      out_.Add("PACKAGE_SERVICE_NO_DELETE", Severity::kBreaking, before.full_name, it->second->file,
               PlaceOf(*it->second),
               "the service is declared but not served any more: calls of old clients are refused "
               "as unimplemented");
      return;
    }
    if (!packages_.contains(before.file->proto->package())) return ReportPackage(*before.file);
    const auto file = now_.files().find(before.file->proto->name());
    out_.Add("PACKAGE_SERVICE_NO_DELETE", Severity::kBreaking, before.full_name,
             file == now_.files().end() ? nullptr : file->second, std::nullopt,
             "the service was deleted: calls of old clients are refused as unimplemented");
  }

  // The types of what is gone, or never travels, are not those that no method uses; nor is what
  // they hold.
  void SetApart(const Service& service) {
    for (const auto& [name, method] : service.methods) SetApart(method);
  }
  void SetApart(const Method& method) {
    SetApart(absl::StripPrefix(method.proto->input_type(), "."));
    SetApart(absl::StripPrefix(method.proto->output_type(), "."));
  }
  void SetApart(absl::string_view type) {
    std::vector<absl::string_view> open = {type};
    while (!open.empty()) {
      const Message* message = before_.FindMessage(open.back());
      open.pop_back();
      if (message == nullptr || !apart_.insert(message).second) continue;
      for (const auto& [number, field] : message->fields) open.push_back(field->type_name());
    }
  }

  void CompareMethods(const Method& before, const Service& service) {
    const auto it = service.methods.find(before.proto->name());
    if (it == service.methods.end()) {
      SetApart(before);
      out_.Add("RPC_NO_DELETE", Severity::kBreaking, before.full_name, service.file,
               PlaceOf(service),
               "the method was deleted: calls of old clients are refused as unimplemented");
      return;
    }
    CompareStreaming(before, it->second);
    CompareIdempotency(before, it->second);
    ComparePayloads(before, before.proto->input_type(), it->second, it->second.proto->input_type(),
                    Direction::kRequest);
    ComparePayloads(before, before.proto->output_type(), it->second,
                    it->second.proto->output_type(), Direction::kResponse);
  }

  void CompareStreaming(const Method& before, const Method& now) {
    if (before.proto->client_streaming() != now.proto->client_streaming()) {
      // A stream of one message is what a client of one message sends.
      const bool loses = before.proto->client_streaming();
      out_.Add("RPC_SAME_CLIENT_STREAMING", loses ? Severity::kBreaking : Severity::kDangerous,
               before.full_name, now.file, PlaceOf(now),
               loses ? "old clients send several messages, the new server takes one: their calls "
                       "fail"
                     : "old clients send one message, the new server expects a stream: calls work, "
                       "but programs compiled against the new schema are called differently");
    }
    if (before.proto->server_streaming() != now.proto->server_streaming()) {
      const bool streams = now.proto->server_streaming();
      out_.Add("RPC_SAME_SERVER_STREAMING", streams ? Severity::kBreaking : Severity::kDangerous,
               before.full_name, now.file, PlaceOf(now),
               streams ? "the new server answers with any number of messages, old clients expect "
                         "exactly one: their calls fail"
                       : "the new server answers with exactly one message, old clients expect a "
                         "stream: calls work, with a stream of one");
    }
  }

  void CompareIdempotency(const Method& before, const Method& now) {
    const auto level = [](const Method& method) {
      return method.proto->options().idempotency_level();
    };
    // What old clients were promised less of does them no harm.
    const bool kept = level(before) == level(now) ||
                      level(before) == MethodOptions::IDEMPOTENCY_UNKNOWN ||
                      level(now) == MethodOptions::NO_SIDE_EFFECTS;
    if (kept) return;
    out_.Add(
        "RPC_SAME_IDEMPOTENCY_LEVEL", Severity::kDangerous, before.full_name, now.file,
        PlaceOf(now),
        absl::StrCat("idempotency_level was ", MethodOptions::IdempotencyLevel_Name(level(before)),
                     " and is now ", MethodOptions::IdempotencyLevel_Name(level(now)),
                     ": old clients still retry, or cache, as they were told before"));
  }

  void ComparePayloads(const Method& before, const std::string& type_before, const Method& now,
                       const std::string& type_now, Direction direction) {
    const Message* old_type = before_.FindMessage(absl::StripPrefix(type_before, "."));
    const Message* new_type = now_.FindMessage(absl::StripPrefix(type_now, "."));
    if (old_type == nullptr || new_type == nullptr) return;
    if (MeansSomethingElse(*old_type, *new_type)) {
      const bool request = direction == Direction::kRequest;
      out_.Add(request ? "RPC_SAME_REQUEST_TYPE" : "RPC_SAME_RESPONSE_TYPE", Severity::kBreaking,
               before.full_name, now.file, PlaceOf(now),
               absl::StrCat(Travels(old_type->full_name, new_type->full_name, direction),
                            ": the same bytes mean something else"));
      return;
    }
    exchange_.CompareMessages(*old_type, *new_type, direction);
  }

  // A message that no method uses, by name.
  void CompareUncalled(const Message& before) {
    if (!before.file->is_compared() || before.is_map_entry() || exchange_.has_compared(before) ||
        apart_.contains(&before)) {
      return;
    }
    if (const Message* now = now_.FindMessage(before.full_name)) {
      exchange_.CompareMessages(before, *now, Direction::kRequest);
      exchange_.CompareMessages(before, *now, Direction::kResponse);
    } else if (before_.services().empty() && !packages_.contains(before.file->proto->package())) {
      ReportPackage(*before.file);
    }
  }

  // An extension of a message that was not compared: one of others'.
  void CompareUncalled(const Field& extension) {
    const Message* extendee = ExtendeeOf(extension);
    if (!extension.file->is_compared() || IsOption(extension) || extendee == nullptr ||
        exchange_.has_compared(*extendee) || apart_.contains(extendee)) {
      return;
    }
    const auto it = now_.extensions().find({extendee->full_name, extension.proto->number()});
    if (it != now_.extensions().end()) exchange_.CompareExtensions(extension, *it->second);
  }

  const Message* ExtendeeOf(const Field& extension) const {
    return before_.FindMessage(absl::StripPrefix(extension.proto->extendee(), "."));
  }

  // A custom option: an extension of a message of google/protobuf/descriptor.proto, or of another
  // that protobuf brings along.
  bool IsOption(const Field& extension) const {
    const Message* extendee = ExtendeeOf(extension);
    return extendee != nullptr && extendee->file->is_well_known;
  }

  const Elements& before_;
  const Elements& now_;
  const absl::flat_hash_set<std::string> served_before_;
  const absl::flat_hash_set<std::string> served_now_;
  Collector out_;
  Exchange exchange_;
  std::set<std::string> packages_;             // of the new schema
  absl::flat_hash_set<const Message*> apart_;  // of the old one
};

}  // namespace

absl::StatusOr<std::vector<Finding>> CheckApi(const Elements& before, const Elements& now,
                                              const Served& served) {
  return ApiCheck(before, now, served).Run();
}

}  // namespace pinion::compat
