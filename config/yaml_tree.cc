#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "config/text_check.h"

namespace pinion::config {
namespace {

Position FromMark(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// A finished node with what it would cost if every alias were written out.
struct Sized {
  NodePtr node;
  size_t nodes = 1;
  size_t depth = 1;
};

// Builds the tree from the parser's events. After the first error that leaves the tree without
// meaning it ignores the rest: yaml-cpp can only be stopped by an exception.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(ErrorList& errors) : errors_(errors) {}

  // Null after a fatal error or an empty document.
  NodePtr root() const { return failed_ ? nullptr : root_; }
  bool failed() const { return failed_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    AddLeaf(Node{Node::Kind::kNull, FromMark(mark)}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    Node node{Node::Kind::kScalar, FromMark(mark)};
    node.quoted = tag == "!" || absl::EndsWith(tag, ":str");
    node.scalar = value;
    AddLeaf(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Node::Kind::kSequence, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Node::Kind::kMapping, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed_) return;
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) return Fail(FromMark(mark), "an alias inside its own anchor");
    Add(it->second, FromMark(mark));
  }

 private:
  // A collection whose end has not come yet.
  struct Open_ {
    Node node;
    YAML::anchor_t anchor = 0;
    size_t nodes = 1;
    size_t depth = 1;
    // Mappings: the key that waits for its value, and what `<<` brought.
    bool has_key = false;
    std::string key;
    Position key_position;
    bool key_is_merge = false;
    absl::flat_hash_set<std::string> keys;
    std::vector<NodePtr> merged;
  };

  void Fail(Position position, std::string message) {
    errors_.Add(position, std::move(message));
    failed_ = true;
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (failed_ || tag.empty() || tag == "?" || tag == "!") return;
    static constexpr std::string_view kCore = "tag:yaml.org,2002:";
    if (absl::StartsWith(tag, absl::string_view(kCore.data(), kCore.size()))) {
      const std::string name = tag.substr(kCore.size());
      for (const char* known : {"str", "int", "float", "bool", "null", "seq", "map"}) {
        if (name == known) return;
      }
    }
    errors_.Add(FromMark(mark), absl::StrCat("tag `", tag, "` has no meaning here"));
  }

  void Open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (failed_) return;
    CheckTag(mark, tag);
    if (open_.size() == kMaxYamlDepth) return TooDeep(FromMark(mark));
    Open_ open;
    open.node.kind = kind;
    open.node.position = FromMark(mark);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }

  void Close() {
    if (failed_) return;
    Open_ open = std::move(open_.back());
    open_.pop_back();
    Merge(open);
    Sized sized{std::make_shared<const Node>(std::move(open.node)), open.nodes, open.depth};
    if (open.anchor != 0) anchors_[open.anchor] = sized;
    Add(sized, sized.node->position);
  }

  void AddLeaf(Node node, YAML::anchor_t anchor) {
    if (failed_) return;
    const Position position = node.position;
    Sized sized{std::make_shared<const Node>(std::move(node))};
    if (anchor != 0) anchors_[anchor] = sized;
    Add(sized, position);
  }

  // `position`: where it is used, which for an alias is not where it stands.
  void Add(const Sized& sized, Position position) {
    if (open_.empty()) {
      root_ = sized.node;
      return;
    }
    Open_& parent = open_.back();
    parent.nodes += sized.nodes;
    parent.depth = std::max(parent.depth, sized.depth + 1);
    if (parent.nodes > kMaxYamlNodes) {
      return Fail(position, absl::StrCat("more than ", kMaxYamlNodes,
                                         " values once aliases and merge keys are expanded"));
    }
    if (open_.size() - 1 + parent.depth > kMaxYamlDepth) return TooDeep(position);
    if (parent.node.kind == Node::Kind::kSequence) {
      parent.node.items.push_back(sized.node);
    } else if (parent.has_key) {
      AddValue(parent, sized.node, position);
    } else {
      TakeKey(parent, *sized.node, position);
    }
  }

  void TooDeep(Position position) {
    Fail(position, absl::StrCat("nested deeper than ", kMaxYamlDepth, " levels"));
  }

  void TakeKey(Open_& parent, const Node& key, Position position) {
    if (key.kind != Node::Kind::kScalar) {
      return Fail(position, "a key must be a word: not empty, null, a list or a mapping");
    }
    parent.has_key = true;
    parent.key = key.scalar;
    parent.key_position = position;
    parent.key_is_merge = key.scalar == "<<" && !key.quoted;
  }

  void AddValue(Open_& parent, const NodePtr& value, Position position) {
    parent.has_key = false;
    if (parent.key_is_merge) return AddMerge(parent, value, position);
    if (!parent.keys.insert(parent.key).second) {
      errors_.Add(parent.key_position, absl::StrCat("duplicate key `", parent.key, "`"));
      return;
    }
    parent.node.entries.push_back({std::move(parent.key), parent.key_position, value});
  }

  void AddMerge(Open_& parent, const NodePtr& value, Position position) {
    if (value->kind == Node::Kind::kMapping) {
      parent.merged.push_back(value);
      return;
    }
    const auto is_mapping = [](const NodePtr& item) { return item->kind == Node::Kind::kMapping; };
    if (value->kind != Node::Kind::kSequence ||
        !std::all_of(value->items.begin(), value->items.end(), is_mapping)) {
      errors_.Add(position, "`<<` merges a mapping or a list of mappings");
      return;
    }
    parent.merged.insert(parent.merged.end(), value->items.begin(), value->items.end());
  }

  // The mapping's own keys win over merged ones, and earlier merged ones over later.
  static void Merge(Open_& open) {
    for (const NodePtr& merged : open.merged) {
      for (const Node::Entry& entry : merged->entries) {
        if (open.keys.insert(entry.key).second) open.node.entries.push_back(entry);
      }
    }
  }

  ErrorList& errors_;
  std::vector<Open_> open_;
  absl::flat_hash_map<YAML::anchor_t, Sized> anchors_;
  NodePtr root_;
  bool failed_ = false;
};

constexpr const char* kTabInIndentation = "a tab in the indentation: use spaces";

// yaml-cpp takes a tab for the beginning of a value and then stumbles over what follows.
std::optional<Position> TabInIndentation(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  const size_t first = text.find_first_not_of(' ');
  if (first == text.npos || text[first] != '\t') return std::nullopt;
  return Position{line, static_cast<int>(first) + 1};
}

// yaml-cpp's words for the usual slips are those of its scanner; these say what to look for.
std::string Explained(const std::string& message) {
  if (message == YAML::ErrorMsg::TAB_IN_INDENTATION) return kTabInIndentation;
  if (message == YAML::ErrorMsg::END_OF_MAP) {
    return "neither a `key: value` of this mapping nor its end: check the indentation and the "
           "colon";
  }
  if (message == YAML::ErrorMsg::END_OF_SEQ) {
    return "neither a `- item` of this list nor its end: check the indentation";
  }
  if (message == YAML::ErrorMsg::END_OF_MAP_FLOW) return "`{` without its `}`, or a missing comma";
  if (message == YAML::ErrorMsg::END_OF_SEQ_FLOW) return "`[` without its `]`, or a missing comma";
  if (message == YAML::ErrorMsg::MAP_VALUE) {
    return "a `:` where no key can stand: put a value with a colon into quotes";
  }
  if (message == YAML::ErrorMsg::DOC_IN_SCALAR || message == YAML::ErrorMsg::EOF_IN_SCALAR) {
    return "the text ends inside quotes";
  }
  if (message == YAML::ErrorMsg::UNKNOWN_TOKEN) {
    return "a character that cannot begin a value: put the value into quotes";
  }
  return message;
}

}  // namespace

NodePtr ParseYaml(std::string_view text, ErrorList& errors) {
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  if (!CheckText(text, errors)) return nullptr;
  // yaml-cpp takes a quote that is never closed to end with the file; it refuses the mark of a
  // document's end inside one.
  const bool ends_line = !text.empty() && text.back() == '\n';
  std::istringstream in{
      absl::StrCat(absl::string_view(text.data(), text.size()), ends_line ? "...\n" : "\n...\n")};
  TreeBuilder builder(errors);
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    TreeBuilder second(errors);
    if (!builder.failed() && parser.HandleNextDocument(second)) {
      const NodePtr node = second.root();
      errors.Add(node == nullptr ? Position{} : node->position,
                 "a second document, or something behind the end of the first: a file holds one");
      return nullptr;
    }
  } catch (const YAML::Exception& e) {
    // What follows a builder's error is noise.
    if (builder.failed()) return nullptr;
    const Position position = FromMark(e.mark);
    const std::optional<Position> tab = TabInIndentation(text, position.line);
    errors.Add(
        tab.value_or(position),
        absl::StrCat("broken YAML: ", tab.has_value() ? kTabInIndentation : Explained(e.msg)));
    return nullptr;
  }
  const NodePtr root = builder.root();
  if (!builder.failed() && (root == nullptr || root->kind == Node::Kind::kNull)) {
    errors.Add({}, "the file is empty");
    return nullptr;
  }
  return root;
}

}  // namespace pinion::config
