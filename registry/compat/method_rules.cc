// Rules about methods.
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "registry/compat/element_rules.h"

namespace pinion::compat {
namespace {

using google::protobuf::MethodDescriptorProto;
using google::protobuf::MethodOptions;

absl::string_view StreamingText(bool streaming) { return streaming ? "a stream" : "one message"; }

absl::string_view TypeText(const std::string& name) { return absl::StripPrefix(name, "."); }

}  // namespace

void RpcSameClientStreaming(const Pair<Method>& pair, Reporter& report) {
  const bool before = pair.before.proto->client_streaming();
  const bool now = pair.now.proto->client_streaming();
  if (before == now) return;
  report.Add(
      {pair.before, *pair.now.file}, PlaceOf(pair.now),
      absl::StrCat("clients sent ", StreamingText(before), " and now send ", StreamingText(now),
                   ": clients and servers made for the other way do not "
                   "understand each other"));
}

void RpcSameServerStreaming(const Pair<Method>& pair, Reporter& report) {
  const bool before = pair.before.proto->server_streaming();
  const bool now = pair.now.proto->server_streaming();
  if (before == now) return;
  report.Add({pair.before, *pair.now.file}, PlaceOf(pair.now),
             absl::StrCat("the server answered with ", StreamingText(before), " and now with ",
                          StreamingText(now), ": clients made for the other way fail"));
}

void RpcSameIdempotencyLevel(const Pair<Method>& pair, Reporter& report) {
  const auto before = pair.before.proto->options().idempotency_level();
  const auto now = pair.now.proto->options().idempotency_level();
  if (before == now) return;
  SourcePath option = pair.now.path;
  option.insert(option.end(), {MethodDescriptorProto::kOptionsFieldNumber,
                               MethodOptions::kIdempotencyLevelFieldNumber});
  report.Add({pair.before, *pair.now.file}, PlaceAt(*pair.now.file, option),
             absl::StrCat("idempotency_level was ", MethodOptions::IdempotencyLevel_Name(before),
                          " and is now ", MethodOptions::IdempotencyLevel_Name(now),
                          ": old clients retry, or cache, as they were told before"));
}

void RpcSameRequestType(const Pair<Method>& pair, Reporter& report) {
  const absl::string_view before = TypeText(pair.before.proto->input_type());
  const absl::string_view now = TypeText(pair.now.proto->input_type());
  if (before == now) return;
  report.Add({pair.before, *pair.now.file},
             PlaceOfPart(pair.now, MethodDescriptorProto::kInputTypeFieldNumber),
             absl::StrCat("requests were ", before, " and are now ", now,
                          ": the server reads what old clients send as another type"));
}

void RpcSameResponseType(const Pair<Method>& pair, Reporter& report) {
  const absl::string_view before = TypeText(pair.before.proto->output_type());
  const absl::string_view now = TypeText(pair.now.proto->output_type());
  if (before == now) return;
  report.Add({pair.before, *pair.now.file},
             PlaceOfPart(pair.now, MethodDescriptorProto::kOutputTypeFieldNumber),
             absl::StrCat("responses were ", before, " and are now ", now,
                          ": old clients read what the server sends as another type"));
}

}  // namespace pinion::compat
