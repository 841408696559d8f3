#include "tests/testing/call_plan.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "tests/testing/random.h"

namespace pinion::testing {

const char* NameOf(AttemptRecord::End end) {
  switch (end) {
    case AttemptRecord::End::kNone:
      return "runs call";
    case AttemptRecord::End::kAnswered:
      return "answered call";
    case AttemptRecord::End::kResetByServer:
      return "reset call";
    case AttemptRecord::End::kRefused:
      return "refused call";
    case AttemptRecord::End::kResetByPeer:
      return "heard the reset of call";
    case AttemptRecord::End::kConnectionLost:
      return "lost the connection of call";
  }
  return "";
}

const char* NameOf(CallRecord::End end) {
  switch (end) {
    case CallRecord::End::kNone:
      return "still waits for call";
    case CallRecord::End::kStatus:
      return "got the status of call";
    case CallRecord::End::kReset:
      return "heard the reset of call";
    case CallRecord::End::kConnectionLost:
      return "lost the connection of call";
    case CallRecord::End::kCancelled:
      return "cancelled call";
  }
  return "";
}

CallBook::Entry& CallBook::Add(CallPlan plan) {
  const uint64_t id = entries_.size() + 1;
  Entry& entry = entries_[id];
  entry.plan = std::move(plan);
  entry.plan.id = id;
  return entry;
}

CallBook::Entry* CallBook::Find(uint64_t id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

CallBook::Entry* CallBook::Find(std::string_view id) {
  uint64_t number;
  return absl::SimpleAtoi(absl::string_view(id.data(), id.size()), &number) ? Find(number)
                                                                            : nullptr;
}

std::string GrpcMessages(uint64_t seed, const std::vector<size_t>& sizes) {
  Random random(seed);
  std::string bytes;
  for (const size_t size : sizes) {
    bytes += '\0';
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
    const size_t start = bytes.size();
    bytes.resize(start + size);
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
      const uint64_t word = random.Next();
      std::memcpy(&bytes[start + i], &word, std::min(sizeof(word), size - i));
    }
  }
  return bytes;
}

void AppendFields(absl::Span<const http2::HeaderField> fields, Metadata& metadata) {
  for (const http2::HeaderField& field : fields) {
    metadata.emplace_back(std::string(field.name), std::string(field.value));
  }
}

const std::string* FindField(const Metadata& metadata, std::string_view name) {
  for (const auto& [key, value] : metadata) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace pinion::testing
