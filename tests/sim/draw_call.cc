// The calls of a scenario: every kind of RPC, every size around a boundary, every way to end.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/sim/scenario.h"

namespace pinion::sim {
namespace {

using testing::CallPlan;
using testing::Metadata;
using testing::Pause;
using testing::Random;
using testing::ResponsePlan;

// Bytes in one direction of one call.
constexpr size_t kBodyBytesMax = 200'000;

std::vector<size_t> DrawSizes(Random& random) {
  constexpr size_t kSizes[] = {0,     0,     1,     2,     100,   1000,  16379,
                               16383, 16384, 16385, 65530, 65535, 65536, 100'000};
  // More than a connection reads in one turn.
  if (random.OneIn(40)) return {600'000};
  std::vector<size_t> sizes;
  const uint64_t count = random.OneIn(2) ? 1 : random.Below(8);
  size_t total = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const size_t size =
        random.OneIn(2) ? kSizes[random.Below(std::size(kSizes))] : random.Size(3000);
    if (total + size > kBodyBytesMax) break;
    total += size;
    sizes.push_back(size);
  }
  return sizes;
}

std::vector<Pause> DrawPauses(Random& random, size_t bytes) {
  std::vector<Pause> pauses;
  if (!random.OneIn(3)) return pauses;
  for (uint64_t i = random.Size(3); i > 0; --i) {
    pauses.push_back(
        {random.Between(uint64_t{0}, uint64_t{bytes}), absl::Microseconds(random.Size(200'000))});
  }
  std::sort(pauses.begin(), pauses.end(),
            [](const Pause& a, const Pause& b) { return a.at_byte < b.at_byte; });
  return pauses;
}

Metadata DrawMetadata(Random& random) {
  Metadata metadata;
  for (uint64_t i = random.Below(5); i > 0; --i) {
    switch (random.Below(4)) {
      case 0:
        metadata.emplace_back("x-twice", absl::StrCat("value ", random.Below(10)));
        break;
      case 1: {
        std::string bytes;
        for (uint64_t j = random.Below(20); j > 0; --j) bytes += static_cast<char>(random.Next());
        metadata.emplace_back("x-blob-bin", absl::Base64Escape(bytes));
        break;
      }
      case 2:
        metadata.emplace_back("x-long", std::string(random.Size(5000), 'l'));
        break;
      default:
        metadata.emplace_back(absl::StrCat("x-", random.Below(6)), absl::StrCat(random.Next()));
        break;
    }
  }
  return metadata;
}

void DrawReset(Random& random, ResponsePlan& response) {
  constexpr http2::ErrorCode kCodes[] = {
      http2::ErrorCode::kCancel, http2::ErrorCode::kInternalError,
      http2::ErrorCode::kEnhanceYourCalm, http2::ErrorCode::kInadequateSecurity};
  response.kind = ResponsePlan::Kind::kReset;
  response.reset_code = random.PickFrom(kCodes);
  response.reset_before_headers = random.OneIn(3);
  response.reset_after_bytes = random.Below(response.body.bytes.size() + 1);
  // Unseen before the headers, and so tried again; see kRefuse. After them nothing can be.
  if (!response.reset_before_headers && random.OneIn(4)) {
    response.reset_code = http2::ErrorCode::kRefusedStream;
  }
}

void DrawEnd(Random& random, ResponsePlan& response) {
  if (random.OneIn(4)) {
    response.grpc_status = static_cast<int>(random.Between(uint64_t{1}, uint64_t{16}));
    if (random.OneIn(2)) response.grpc_message = "it%20did not work: %E2%82%AC";
  }
  response.trailers = DrawMetadata(random);
}

void DrawKind(Random& random, ResponsePlan& response) {
  switch (random.Below(20)) {
    case 0:
    case 1:
      response.kind = ResponsePlan::Kind::kTrailersOnly;
      break;
    case 2:
      DrawReset(random, response);
      break;
    case 3:
      response.kind = ResponsePlan::Kind::kRefuse;
      break;
    case 4:
      response.kind = ResponsePlan::Kind::kNeverAnswer;
      break;
    case 5: {
      constexpr int kStatuses[] = {400, 401, 403, 404, 429, 502, 503, 504, 500, 302};
      response.kind = ResponsePlan::Kind::kHttpError;
      response.http_status = random.PickFrom(kStatuses);
      break;
    }
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      response.kind = ResponsePlan::Kind::kEcho;
      break;
    default:
      break;
  }
}

ResponsePlan DrawResponse(Random& random, uint64_t number, size_t request_bytes) {
  ResponsePlan response;
  response.body.bytes = testing::GrpcMessages(2 * number + 1, DrawSizes(random));
  response.body.pauses = DrawPauses(random, response.body.bytes.size());
  response.headers = DrawMetadata(random);
  DrawEnd(random, response);
  DrawKind(random, response);
  if (random.OneIn(3)) response.start_at_request_byte = 0;
  if (random.OneIn(5)) response.start_at_request_byte = random.Below(request_bytes + 1);
  if (response.kind == ResponsePlan::Kind::kEcho) response.start_at_request_byte = 0;
  if (random.OneIn(4)) response.delay = absl::Microseconds(random.Size(300'000));
  response.reset_after_answer = random.OneIn(2);
  return response;
}

void DrawDeadline(Random& random, CallPlan& plan) {
  if (random.OneIn(3)) {
    const uint64_t milliseconds = random.Size(3000);
    plan.timeout = absl::StrCat(milliseconds, "m");
    plan.deadline = absl::Milliseconds(milliseconds);
  } else {
    plan.timeout = "1H";
    plan.deadline = absl::Hours(1);
  }
}

Wanted DrawWanted(Random& random, const Scenario& scenario) {
  Wanted wanted;
  if (!random.OneIn(5))
    wanted.consumer = scenario.consumers[random.Below(scenario.consumers.size())];
  switch (random.Below(20)) {
    case 0:
      wanted.header = "9.9.9";
      break;
    case 1:
      wanted.header = "1";
      break;
    case 2:
      wanted.header = absl::StrCat("^", scenario.versions.back().major);
      break;
    case 3:
      wanted.header = NameOf(scenario.versions.front());
      break;
    case 4:
      wanted.unknown_service = true;
      break;
    default:
      break;
  }
  return wanted;
}

}  // namespace

CallStart DrawCall(Random& random, const Scenario& scenario, uint64_t number) {
  CallStart call;
  call.wanted = DrawWanted(random, scenario);
  CallPlan& plan = call.plan;
  plan.path = absl::StrCat("/", call.wanted.unknown_service ? "sim.Other" : kGrpcService, "/Talk");
  plan.metadata = DrawMetadata(random);
  if (!call.wanted.consumer.empty()) plan.metadata.emplace_back("x-consumer", call.wanted.consumer);
  if (!call.wanted.header.empty()) plan.metadata.emplace_back("api-version", call.wanted.header);
  plan.request.bytes = testing::GrpcMessages(2 * number, DrawSizes(random));
  plan.request.pauses = DrawPauses(random, plan.request.bytes.size());
  plan.request.end_alone = random.OneIn(3);
  plan.response = DrawResponse(random, number, plan.request.bytes.size());
  plan.request_reading.pauses = DrawPauses(random, plan.request.bytes.size());
  plan.response_reading.pauses = DrawPauses(random, plan.response.body.bytes.size());
  if (random.OneIn(3)) DrawDeadline(random, plan);
  if (random.OneIn(8)) plan.cancel_after = absl::Microseconds(random.Size(400'000));
  const bool may_last = plan.timeout.empty() || plan.deadline == absl::Hours(1);
  if (plan.response.kind == ResponsePlan::Kind::kNeverAnswer && may_last) {
    plan.timeout = "500m";
    plan.deadline = absl::Milliseconds(500);
  }
  return call;
}

}  // namespace pinion::sim
