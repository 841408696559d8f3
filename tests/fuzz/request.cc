// The head of a request: what any caller may write into its headers. The first byte holds the
// listener's options; then a field a line, as `name: value`.
#include "gateway/proxy/request.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/check.h"
#include "gateway/http2/header_block.h"
#include "gateway/http2/header_validator.h"
#include "gateway/proxy/grpc_timeout.h"
#include "gateway/proxy/trace_context.h"
#include "gateway/route/testing_table.h"
#include "tests/fuzz/header_facts.h"
#include "tests/fuzz/target.h"

namespace pinion::fuzz {
namespace {

constexpr char kPreviousAttempts[] = "grpc-previous-rpc-attempts";

void CheckTimeout(absl::string_view text) {
  const std::optional<absl::Duration> timeout = proxy::ParseGrpcTimeout(text);
  if (!timeout.has_value()) return;
  CHECK(*timeout >= absl::ZeroDuration());
  const std::string formatted = proxy::FormatGrpcTimeout(*timeout);
  const std::optional<absl::Duration> again = proxy::ParseGrpcTimeout(formatted);
  CHECK(again.has_value() && *again <= *timeout);
  CHECK(proxy::FormatGrpcTimeout(*again) == formatted);
}

void CheckTrace(const proxy::RequestHead& head) {
  proxy::TraceContext trace;
  Random random(1);
  trace.Begin(head.traceparent.value_or(""), head.traceparent_repeated, random);
  CHECK(trace.trace_id().size() == proxy::kTraceIdBytes);
  std::vector<http2::HeaderField> fields = {{"traceparent", "x"}, {"tracestate", "y"}};
  trace.AddTo(fields);
  size_t parents = 0;
  for (const http2::HeaderField& field : fields) {
    if (field.name != "traceparent") continue;
    ++parents;
  }
  CHECK(parents >= 1);
}

// The refusals of every reason must be made for whatever was asked.
void Route(const proxy::RequestHead& head) {
  static const auto table = route::TableOf(
      {"service { name: 'greeter' scheme: SEMVER grpc_services: 'a.B' version_from_package: true }",
       "version { service: 'greeter' name: '1.0.0' state: ACTIVE }",
       "version { service: 'greeter' name: '2.0.0' state: ACTIVE }",
       "channel { service: 'greeter' name: 'stable' version: '1.0.0' }",
       "consumer { name: 'billing' identities { trusted_header: 'billing' } }",
       "pin { consumer: 'billing' service: 'greeter' expression: '^1' }"});
  const auto method = route::ParseMethodPath(route::WithoutQuery(head.path));
  if (!method.has_value()) return;
  CHECK(method->full.front() == '/' && !method->grpc_service.empty() && !method->method.empty());
  route::HeaderResolutions resolutions;
  route::CallQuery query{.method = *method};
  const auto consumer = table->FindConsumerByHeader(head.identity.value_or(""));
  if (consumer.has_value()) query.consumer = &*consumer;
  if (head.version.has_value()) query.version_header = *head.version;
  CHECK(!route::Outcome(table->Resolve(query, resolutions)).empty());
}

}  // namespace

std::vector<std::string> Seeds() { return {}; }

void Run(absl::string_view input) {
  Input bytes(input);
  const uint8_t options = bytes.Byte();
  const bool trusted = options & 1;
  http2::HeaderBlock block;
  for (const absl::string_view line : absl::StrSplit(bytes.rest(), '\n')) {
    // A pseudo-header begins with a colon.
    const size_t colon = line.find(": ");
    if (colon != line.npos) block.Add(line.substr(0, colon), line.substr(colon + 2));
  }
  http2::MessageFacts facts;
  const bool well_formed = http2::RequestFault(block.fields(), facts).empty();
  http2::ResponseFault(block.fields(), facts);
  http2::TrailersFault(block.fields());

  proxy::ListenerOptions listener;
  if (options & 2) listener.identity_header = "api-consumer";
  if (options & 4) listener.api_key_header = "x-api-key";
  listener.jwt = options & 8;
  const proxy::RequestHead head = proxy::ReadRequest(block.fields(), listener, proxy::Options());
  CheckTimeout(head.timeout);
  CheckTrace(head);
  if (!well_formed) return;
  Route(head);
  std::vector<http2::HeaderField> out;
  proxy::AddUpstreamFields(block.fields(), listener, proxy::Options(), trusted, head.grpc, "1S",
                           out);
  size_t timeouts = 0;
  for (const http2::HeaderField& field : out) {
    CheckFacts(field);
    CHECK(field.name != "api-version");
    CHECK(trusted || listener.identity_header.empty() || field.name != listener.identity_header);
    CHECK(listener.api_key_header.empty() || field.name != listener.api_key_header);
    CHECK(!listener.jwt || field.name != "authorization" ||
          !proxy::BearerToken(field.value).has_value());
    timeouts += field.name == "grpc-timeout";
  }
  CHECK(timeouts >= 1);
  CHECK(!proxy::SetPreviousAttempts(1, out).empty());
  for (const http2::HeaderField& field : out) CHECK(field.name != kPreviousAttempts);
}

}  // namespace pinion::fuzz
