#include "registry/compat/api_check.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "registry/compat/collector.h"
#include "registry/compat/exchange.h"

namespace pinion::compat {
namespace {

using google::protobuf::MethodOptions;

class ApiCheck {
 public:
  ApiCheck(const Elements& before, const Elements& now)
      : before_(before), now_(now), exchange_(before, now, out_) {}

  absl::StatusOr<std::vector<Finding>> Run() && {
    for (const auto& [path, file] : now_.files()) packages_.insert(file->proto->package());
    for (const auto& [name, service] : before_.services()) {
      if (service->file->is_compared()) CompareServices(*service);
    }
    // After all methods, which say what is used by one.
    for (const auto& [name, message] : before_.messages()) CompareUncalled(*message);
    for (const auto& [key, field] : before_.extensions()) {
      const auto it = now_.extensions().find(key);
      if (it != now_.extensions().end()) exchange_.CompareExtensions(*field, *it->second);
    }
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
    if (it != now_.services().end()) {
      for (const auto& [name, method] : before.methods) CompareMethods(method, *it->second);
      return;
    }
    UseTypes(before);
    if (!packages_.contains(before.file->proto->package())) return ReportPackage(*before.file);
    const auto file = now_.files().find(before.file->proto->name());
    out_.Add("PACKAGE_SERVICE_NO_DELETE", Severity::kBreaking, before.full_name,
             file == now_.files().end() ? nullptr : file->second, std::nullopt,
             "the service was deleted: calls of old clients are refused as unimplemented");
  }

  // The types of a service that is gone are used by a method, if by none of now.
  void UseTypes(const Service& service) {
    for (const auto& [name, method] : service.methods) UseTypes(method);
  }
  void UseTypes(const Method& method) {
    deleted_uses_.insert(method.proto->input_type());
    deleted_uses_.insert(method.proto->output_type());
  }

  void CompareMethods(const Method& before, const Service& service) {
    const auto it = service.methods.find(before.proto->name());
    if (it == service.methods.end()) {
      UseTypes(before);
      out_.Add("RPC_NO_DELETE", Severity::kBreaking, before.full_name, service.file,
               PlaceOf(service),
               "the method was deleted: calls of old clients are refused as unimplemented");
      return;
    }
    CompareStreaming(before, it->second);
    CompareIdempotency(before, it->second);
    ComparePayloads(before.proto->input_type(), it->second.proto->input_type(),
                    Direction::kRequest);
    ComparePayloads(before.proto->output_type(), it->second.proto->output_type(),
                    Direction::kResponse);
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

  void ComparePayloads(const std::string& before, const std::string& now, Direction direction) {
    const Message* old_type = before_.FindMessage(absl::StripPrefix(before, "."));
    const Message* new_type = now_.FindMessage(absl::StripPrefix(now, "."));
    if (old_type == nullptr || new_type == nullptr) return;
    exchange_.CompareMessages(*old_type, *new_type, direction);
  }

  // A message that no method uses, by name.
  void CompareUncalled(const Message& before) {
    if (!before.file->is_compared() || before.is_map_entry() || exchange_.has_compared(before) ||
        deleted_uses_.contains(absl::StrCat(".", before.full_name))) {
      return;
    }
    if (const Message* now = now_.FindMessage(before.full_name)) {
      exchange_.CompareMessages(before, *now, Direction::kRequest);
      exchange_.CompareMessages(before, *now, Direction::kResponse);
    } else if (before_.services().empty() && !packages_.contains(before.file->proto->package())) {
      ReportPackage(*before.file);
    }
  }

  const Elements& before_;
  const Elements& now_;
  Collector out_;
  Exchange exchange_;
  std::set<std::string> packages_;      // of the new schema
  std::set<std::string> deleted_uses_;  // with the leading dot
};

}  // namespace

absl::StatusOr<std::vector<Finding>> CheckApi(const Elements& before, const Elements& now) {
  return ApiCheck(before, now).Run();
}

}  // namespace pinion::compat
