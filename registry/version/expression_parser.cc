// Expression::Parse: text → alternatives of comparators, as in expression.h's grammar.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "registry/version/expression.h"

namespace pinion::version {
namespace {

constexpr absl::string_view kSpace = " \t";

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("`", absl::CHexEscape(text), "` ", why));
}

// "name `1.2.3+x` has a build part" → the same problem, told of a part of an expression.
absl::Status InExpression(const absl::Status& problem, absl::string_view text) {
  absl::string_view message = problem.message();
  absl::ConsumePrefix(&message, "version name ");
  if (absl::StrContains(message, absl::StrCat("`", text, "`"))) {
    return absl::InvalidArgumentError(message);
  }
  return absl::InvalidArgumentError(absl::StrCat(message, " (in `", absl::CHexEscape(text), "`)"));
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

bool IsAnyPart(absl::string_view part) { return part == "x" || part == "X" || part == "*"; }

// 1, 1.2, 1.2.3-rc.1, 1.x, *: the parts of a SEMVER name that a comparator gives.
struct Partial {
  size_t given = 0;  // numbers, before the first x
  bool any = false;  // an x follows
  VersionName name;  // the numbers not given are 0

  bool complete() const { return given == 3; }
  // Without trailing x parts; `*` when nothing is given.
  std::string text;
};

}  // namespace

class ExpressionParser {
 public:
  ExpressionParser(Scheme scheme, absl::string_view text) : scheme_(scheme), whole_(text) {}

  absl::StatusOr<Expression> Parse();

 private:
  using Op = Expression::Op;
  using Alternative = Expression::Alternative;

  absl::Status ParseChannel(absl::string_view name);
  absl::Status ParseAlternative(absl::string_view text);
  absl::Status ParseComparator(absl::string_view token, Alternative& out, std::string& canonical);
  absl::Status ParseHyphen(absl::string_view from, absl::string_view to, Alternative& out,
                           std::string& canonical);
  absl::Status ParsePlain(absl::string_view op, absl::string_view operand, Alternative& out,
                          std::string& canonical);

  absl::Status ParseSemver(absl::string_view op, absl::string_view operand, Alternative& out,
                           std::string& canonical);
  absl::Status ParseSemverHyphen(const Partial& from, const Partial& to, Alternative& out);
  absl::StatusOr<Partial> ParsePartial(absl::string_view text) const;
  absl::Status Incomplete(const Partial& partial) const;

  // The smallest semver name whose first `parts` numbers are above those of `name`;
  // `prerelease_too` makes it the bound below which no prerelease of that name lies either (npm's
  // -0).
  static VersionName Above(const VersionName& name, size_t parts, bool prerelease_too);
  static size_t CaretParts(const Partial& partial);

  const Scheme scheme_;
  const absl::string_view whole_;
  Expression result_;
  std::vector<std::string> canonical_;
  // Whether the expression so far is one bare or `=` name.
  bool exact_ = false;
};

absl::StatusOr<Expression> ExpressionParser::Parse() {
  if (whole_.size() > kMaxPinBytes) {
    return Malformed(whole_.substr(0, 40),
                     absl::StrCat("... has ", whole_.size(), " bytes; an expression has at most ",
                                  kMaxPinBytes));
  }
  const auto strange = [](char c) { return !absl::ascii_isprint(c) && c != '\t'; };
  if (std::any_of(whole_.begin(), whole_.end(), strange)) {
    return Malformed(whole_,
                     "has a byte that is not printable ASCII; write an expression such as "
                     "^1.4 or @stable");
  }
  const absl::string_view text = absl::StripAsciiWhitespace(whole_);
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "an expression is empty; write a version's name, a range such as ^1.4, a channel such as "
        "@stable, or * for the newest");
  }
  if (scheme_ < routing::v1::SEMVER || scheme_ > routing::v1::INTEGER) {
    return Malformed(text, "has no scheme to read it by; set the service's scheme");
  }
  if (text.front() == '@') {
    RETURN_IF_ERROR(ParseChannel(text.substr(1)));
    return std::move(result_);
  }
  for (const absl::string_view alternative : absl::StrSplit(text, "||")) {
    RETURN_IF_ERROR(ParseAlternative(absl::StripAsciiWhitespace(alternative)));
  }
  result_.kind_ = exact_ && result_.alternatives_.size() == 1 ? Expression::Kind::kExact
                                                              : Expression::Kind::kRange;
  result_.canonical_ = absl::StrJoin(canonical_, " || ");
  // It is what is stored, and read again.
  if (result_.canonical_.size() > kMaxPinBytes) {
    return Malformed(
        whole_.substr(0, 40),
        absl::StrCat("... has ", result_.canonical_.size(),
                     " bytes when spaced as it is kept; an expression has at most ", kMaxPinBytes));
  }
  return std::move(result_);
}

absl::Status ExpressionParser::ParseChannel(absl::string_view name) {
  RETURN_IF_ERROR(ValidateChannelName(name));
  result_.kind_ = Expression::Kind::kChannel;
  result_.canonical_ = absl::StrCat("@", name);
  return absl::OkStatus();
}

absl::Status ExpressionParser::ParseAlternative(absl::string_view text) {
  if (text.empty()) {
    return Malformed(whole_,
                     "has nothing on one side of `||`; write * there if any version will do");
  }
  if (absl::StrContains(text, ',')) {
    return Malformed(whole_,
                     "has a comma; separate comparators that must all hold by a space, and "
                     "alternatives by `||`");
  }
  // An operator may stand apart from its operand: ">= 1.2".
  std::vector<std::string> tokens;
  bool joins = false;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(kSpace), absl::SkipEmpty())) {
    if (joins) {
      absl::StrAppend(&tokens.back(), word);
    } else {
      tokens.emplace_back(word);
    }
    joins = word.find_first_not_of("<>=^~") == absl::string_view::npos;
  }
  Alternative comparators;
  std::vector<std::string> canonical;
  exact_ = tokens.size() == 1;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string& out = canonical.emplace_back();
    if (i + 1 < tokens.size() && tokens[i + 1] == "-") {
      if (i + 2 == tokens.size()) {
        return Malformed(whole_, "has no version after ` - `; write both ends, such as 1.2 - 2.3");
      }
      RETURN_IF_ERROR(ParseHyphen(tokens[i], tokens[i + 2], comparators, out));
      i += 2;
    } else {
      RETURN_IF_ERROR(ParseComparator(tokens[i], comparators, out));
    }
  }
  result_.alternatives_.push_back(std::move(comparators));
  canonical_.push_back(absl::StrJoin(canonical, " "));
  return absl::OkStatus();
}

absl::Status ExpressionParser::ParseComparator(absl::string_view token, Alternative& out,
                                               std::string& canonical) {
  const size_t size = std::min(token.find_first_not_of("<>=^~!"), token.size());
  const absl::string_view op = token.substr(0, size);
  const absl::string_view operand = token.substr(size);
  static constexpr absl::string_view kOps[] = {"", "=", "<", "<=", ">", ">=", "^", "~"};
  if (std::find(std::begin(kOps), std::end(kOps), op) == std::end(kOps)) {
    return Malformed(token, absl::StrCat("has the unknown operator `", op,
                                         "`; the operators are = < <= > >= ^ ~"));
  }
  if (operand.empty()) return Malformed(whole_, absl::StrCat("has nothing behind `", op, "`"));
  if (operand.front() == '@') {
    return Malformed(whole_,
                     "combines a channel with something else; a channel stands alone, such "
                     "as @stable");
  }
  if (!op.empty() && op != "=") exact_ = false;
  return scheme_ == routing::v1::SEMVER ? ParseSemver(op, operand, out, canonical)
                                        : ParsePlain(op, operand, out, canonical);
}

absl::Status ExpressionParser::ParsePlain(absl::string_view op, absl::string_view operand,
                                          Alternative& out, std::string& canonical) {
  if (op == "^" || op == "~") {
    return Malformed(whole_, absl::StrCat("uses `", op, "`, which only SEMVER has; write >=",
                                          operand, " or <=", operand));
  }
  if (operand == "*") {
    exact_ = false;
    if (op == "<" || op == ">") return Malformed(whole_, "includes no version; write *");
    canonical = "*";
    return absl::OkStatus();
  }
  if (scheme_ == routing::v1::DATE && absl::StartsWith(operand, "*.")) {
    exact_ = false;
    // Any date will do to have the train's own spelling checked.
    absl::StatusOr<VersionName> train =
        VersionName::Parse(scheme_, absl::StrCat("2000-01-01", operand.substr(1)));
    if (!train.ok() || train->is_prerelease() || !(op.empty() || op == "=")) {
      return Malformed(whole_, "is not a train; write *.basil");
    }
    canonical = std::string(operand);
    out.push_back({Op::kTrain, *std::move(train)});
    return absl::OkStatus();
  }
  absl::StatusOr<VersionName> name = VersionName::Parse(scheme_, operand);
  if (!name.ok()) return InExpression(name.status(), whole_);
  canonical = absl::StrCat(op == "=" ? "" : op, operand);
  const Op kind = op == "<"    ? Op::kLess
                  : op == "<=" ? Op::kLessEqual
                  : op == ">"  ? Op::kGreater
                  : op == ">=" ? Op::kGreaterEqual
                               : Op::kEqual;
  out.push_back({kind, *std::move(name)});
  return absl::OkStatus();
}

absl::Status ExpressionParser::ParseHyphen(absl::string_view from, absl::string_view to,
                                           Alternative& out, std::string& canonical) {
  exact_ = false;
  if (scheme_ == routing::v1::SEMVER) {
    ASSIGN_OR_RETURN(const Partial first, ParsePartial(from));
    ASSIGN_OR_RETURN(const Partial last, ParsePartial(to));
    canonical = absl::StrCat(first.text, " - ", last.text);
    return ParseSemverHyphen(first, last, out);
  }
  absl::StatusOr<VersionName> first = VersionName::Parse(scheme_, from);
  if (!first.ok()) return InExpression(first.status(), whole_);
  absl::StatusOr<VersionName> last = VersionName::Parse(scheme_, to);
  if (!last.ok()) return InExpression(last.status(), whole_);
  canonical = absl::StrCat(from, " - ", to);
  out.push_back({Op::kGreaterEqual, *std::move(first)});
  out.push_back({Op::kLessEqual, *std::move(last)});
  return absl::OkStatus();
}

absl::Status ExpressionParser::ParseSemverHyphen(const Partial& from, const Partial& to,
                                                 Alternative& out) {
  out.push_back({Op::kGreaterEqual, from.name});
  if (to.complete()) {
    out.push_back({Op::kLessEqual, to.name});
  } else if (to.given > 0) {
    out.push_back({Op::kLess, Above(to.name, to.given, true)});
  }
  return absl::OkStatus();
}

absl::StatusOr<Partial> ExpressionParser::ParsePartial(absl::string_view text) const {
  Partial partial;
  const absl::string_view numbers = text.substr(0, text.find_first_of("-+"));
  const std::vector<absl::string_view> parts = absl::StrSplit(numbers, '.');
  for (const absl::string_view part : parts) {
    if (IsAnyPart(part)) {
      partial.any = true;
    } else if (partial.any) {
      return Malformed(whole_, absl::StrCat("has a number behind an x in `", text,
                                            "`; write x for all parts that follow, such as 1.x"));
    } else if (!IsDigits(part)) {
      const bool v = part.size() > 1 && part.front() == 'v' && IsDigits(part.substr(1));
      return Malformed(
          whole_,
          v ? absl::StrCat("has `", text, "`; write it without the v, such as ^", part.substr(1))
            : absl::StrCat("has `", text, "`, which is not a SEMVER name or a part of ",
                           "one; write 1.4.2, 2.0.0-rc.1, ^1.4 or 1.x"));
    } else {
      ++partial.given;
    }
  }
  const bool padded = parts.size() < 3 || partial.any;
  if (parts.size() > 3 || (padded && numbers.size() != text.size())) {
    return Malformed(whole_,
                     absl::StrCat("has `", text, "`, which is not a SEMVER name or a part of ",
                                  "one; write 1.4.2, 2.0.0-rc.1, 1.4 or 1.x"));
  }
  const std::string given =
      absl::StrJoin(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(partial.given), ".");
  std::string full = padded ? given : std::string(text);
  for (size_t i = partial.given; i < 3; ++i) absl::StrAppend(&full, i == 0 ? "0" : ".0");
  absl::StatusOr<VersionName> name = VersionName::Parse(scheme_, full);
  if (!name.ok()) return InExpression(name.status(), whole_);
  partial.name = *std::move(name);
  partial.text = partial.given == 0 ? "*" : padded ? given : std::string(text);
  return partial;
}

absl::Status ExpressionParser::Incomplete(const Partial& partial) const {
  return Malformed(whole_,
                   absl::StrCat("is not complete under SEMVER; write ^", partial.text,
                                " for the newest compatible version, or a full name such as ",
                                partial.name.text()));
}

VersionName ExpressionParser::Above(const VersionName& name, size_t parts, bool prerelease_too) {
  VersionName bound;
  bound.scheme_ = name.scheme_;
  for (size_t i = 0; i < parts; ++i) bound.numbers_[i] = name.numbers_[i];
  ++bound.numbers_[parts - 1];
  if (prerelease_too) bound.prerelease_ = {"0"};
  return bound;
}

// ^ lets change what lies right of the leftmost number that is not 0, or of the last one given.
size_t ExpressionParser::CaretParts(const Partial& partial) {
  for (size_t i = 0; i < partial.given; ++i) {
    if (partial.name.numbers()[i] != 0) return i + 1;
  }
  return partial.given;
}

absl::Status ExpressionParser::ParseSemver(absl::string_view op, absl::string_view operand,
                                           Alternative& out, std::string& canonical) {
  ASSIGN_OR_RETURN(const Partial partial, ParsePartial(operand));
  const bool bare = op.empty() || op == "=";
  if (!partial.complete()) exact_ = false;
  if (partial.given == 0) {
    if (op == "<" || op == ">") return Malformed(whole_, "includes no version; write *");
    canonical = "*";
    return absl::OkStatus();
  }
  if (bare && !partial.complete() && !partial.any) return Incomplete(partial);
  canonical = bare ? absl::StrCat(partial.text, partial.complete() ? "" : ".x")
                   : absl::StrCat(op, partial.text);
  if (op == "^" || op == "~" || (bare && !partial.complete())) {
    const size_t parts = op == "^"   ? CaretParts(partial)
                         : op == "~" ? std::min<size_t>(partial.given, 2)
                                     : partial.given;
    out.push_back({Op::kGreaterEqual, partial.name});
    out.push_back({Op::kLess, Above(partial.name, parts, true)});
  } else if (bare) {
    out.push_back({Op::kEqual, partial.name});
  } else if (partial.complete()) {
    const Op kind = op == "<"    ? Op::kLess
                    : op == "<=" ? Op::kLessEqual
                    : op == ">"  ? Op::kGreater
                                 : Op::kGreaterEqual;
    out.push_back({kind, partial.name});
  } else if (op == ">") {
    out.push_back({Op::kGreaterEqual, Above(partial.name, partial.given, false)});
  } else if (op == "<=") {
    out.push_back({Op::kLess, Above(partial.name, partial.given, true)});
  } else if (op == ">=") {
    out.push_back({Op::kGreaterEqual, partial.name});
  } else {
    VersionName below = partial.name;
    below.prerelease_ = {"0"};
    out.push_back({Op::kLess, std::move(below)});
  }
  return absl::OkStatus();
}

absl::StatusOr<Expression> Expression::Parse(Scheme scheme, absl::string_view text) {
  return ExpressionParser(scheme, text).Parse();
}

}  // namespace pinion::version
