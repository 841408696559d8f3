#include "gateway/route/expression_compiler.h"

#include <algorithm>
#include <optional>

#include "registry/version/expression.h"

namespace pinion::route {
namespace {

const VersionEntry* FindByRange(const ServiceEntry& service,
                                const version::Expression& expression) {
  std::vector<version::Candidate> candidates;
  candidates.reserve(service.versions.size());
  for (const auto& version : service.versions) {
    candidates.push_back({&version->parsed, version->state});
  }
  const std::optional<size_t> best = version::Resolve(expression, candidates);
  return best ? service.versions[*best].get() : nullptr;
}

const VersionEntry* FindMeant(const ServiceEntry& service, const version::Expression& expression,
                              const std::string* recorded) {
  switch (expression.kind()) {
    case version::Expression::Kind::kExact:
      return service.FindVersion(expression.exact());
    case version::Expression::Kind::kChannel: {
      const absl::string_view name = expression.channel();
      const auto channel = std::find_if(service.channels.begin(), service.channels.end(),
                                        [name](const auto& c) { return c.first == name; });
      return channel == service.channels.end() ? nullptr : service.FindVersion(channel->second);
    }
    case version::Expression::Kind::kRange:
      break;
  }
  return recorded == nullptr ? FindByRange(service, expression) : service.FindVersion(*recorded);
}

}  // namespace

const VersionEntry* ServiceEntry::FindVersion(absl::string_view name) const {
  const auto it = versions_by_name.find(name);
  return it == versions_by_name.end() ? nullptr : it->second;
}

const ExpressionEntry* ServiceEntry::FindChannel(absl::string_view name) const {
  const auto it = std::lower_bound(
      channels.begin(), channels.end(), name,
      [](const auto& channel, absl::string_view wanted) { return channel.first < wanted; });
  if (it == channels.end() || it->first != name) return nullptr;
  return channel_expressions[static_cast<size_t>(it - channels.begin())].get();
}

std::shared_ptr<const ExpressionEntry> CompileExpression(const ServiceEntry& service,
                                                         absl::string_view text,
                                                         const std::string* recorded) {
  auto entry = std::make_shared<ExpressionEntry>();
  const auto expression = version::Expression::Parse(service.scheme, text);
  if (!expression.ok()) {
    entry->text = std::string(text.substr(0, version::kMaxPinBytes));
    entry->outcome = ExpressionEntry::Outcome::kMalformed;
    entry->problem = std::string(expression.status().message());
    return entry;
  }
  entry->text = expression->canonical();
  entry->version = FindMeant(service, *expression, recorded);
  if (entry->version != nullptr) entry->outcome = ExpressionEntry::Outcome::kVersion;
  return entry;
}

}  // namespace pinion::route
