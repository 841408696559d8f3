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

void FollowChannel(const ServiceEntry& service, absl::string_view name, ExpressionEntry& entry) {
  const auto channel = std::find_if(service.channels.begin(), service.channels.end(),
                                    [name](const auto& c) { return c.name() == name; });
  if (channel == service.channels.end()) return;
  entry.version = service.FindVersion(channel->version());
  if (!channel->has_ramp()) return;
  const routing::v1::Channel::Ramp& ramp = channel->ramp();
  entry.ramp = std::make_shared<ExpressionEntry::Ramp>(ExpressionEntry::Ramp{
      .share = {service.name, name, ramp.version(), ramp.percent()},
      .percent = ramp.percent(),
      .version_name = ramp.version(),
      .version = service.FindVersion(ramp.version()),
  });
}

void SetMeant(const ServiceEntry& service, const version::Expression& expression,
              const std::string* recorded, ExpressionEntry& entry) {
  switch (expression.kind()) {
    case version::Expression::Kind::kExact:
      entry.version = service.FindVersion(expression.exact());
      break;
    case version::Expression::Kind::kChannel:
      FollowChannel(service, expression.channel(), entry);
      break;
    case version::Expression::Kind::kRange:
      entry.version =
          recorded == nullptr ? FindByRange(service, expression) : service.FindVersion(*recorded);
      break;
  }
}

}  // namespace

const VersionEntry* ServiceEntry::FindVersion(absl::string_view name) const {
  const auto it = versions_by_name.find(name);
  return it == versions_by_name.end() ? nullptr : it->second;
}

const ExpressionEntry* ServiceEntry::FindChannel(absl::string_view name) const {
  const auto it = std::lower_bound(
      channels.begin(), channels.end(), name,
      [](const auto& channel, absl::string_view wanted) { return channel.name() < wanted; });
  if (it == channels.end() || it->name() != name) return nullptr;
  return channel_expressions[static_cast<size_t>(it - channels.begin())].get();
}

std::shared_ptr<const ExpressionEntry> CompileExpression(const ServiceEntry& service,
                                                         absl::string_view text,
                                                         const std::string* recorded) {
  auto entry = std::make_shared<ExpressionEntry>();
  const auto expression = version::Expression::Parse(service.scheme, text);
  if (!expression.ok()) {
    entry->text = std::string(text.substr(0, version::kMaxPinBytes));
    entry->problem = std::string(expression.status().message());
    return entry;
  }
  entry->text = expression->canonical();
  SetMeant(service, *expression, recorded, *entry);
  return entry;
}

}  // namespace pinion::route
