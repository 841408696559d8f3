"""Constructs that the project does not use, and the few places where each is right. STYLE.md gives the reasons."""

import re


class Ban:
    """`pattern` is searched in each line of code; `places` are path prefixes where it is allowed."""

    def __init__(self, rule, pattern, instead, places=(), in_tests=False, comments=False):
        self.rule = rule
        self.pattern = re.compile(pattern)
        self.instead = instead
        self.places = tuple(places)
        self.in_tests = in_tests    # allowed in tests
        self.comments = comments    # searched in comments as well


# Libraries that throw are wrapped in one adapter each, which alone may say try, catch or throw.
_ADAPTERS = ("config/yaml", "clients/cli/flags")
# Programs talk to people; libraries return a status or log.
_PROGRAMS = ("pinion/", "clients/", "examples/", "tests/", "base/check", "base/log")

BANS = (
    Ban("using-namespace", r"\busing\s+namespace\b", "name what you use, or open the namespace"),
    Ban("exception", r"\b(?:throw|try|catch)\b(?!_)", "return absl::Status; a throwing library is caught in its adapter "
        f"({', '.join(_ADAPTERS)})", places=_ADAPTERS),
    Ban("volatile", r"\bvolatile\b", "use std::atomic between threads"),
    Ban("regex", r"\bstd::regex\b", "parse by hand or with absl/strings: std::regex recurses on its input"),
    Ban("sleep", r"\b(?:sleep_for|sleep_until|SleepFor|usleep|nanosleep)\b|(?<![\w.>:])sleep\s*\(",
        "wait for the event itself, or advance virtual time"),
    Ban("clock", r"\babsl::Now\s*\(|_clock::now\s*\(|\bclock_gettime\b|\bgettimeofday\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)",
        "take the time from a Clock (base/clock.h) or from the EventLoop, so that tests run on virtual time",
        places=("base/clock", "tests/bench/")),
    Ban("raw-new", r"\bnew\b\s*(?:\(|[A-Za-z_:])|(?<!=)(?<!= )\bdelete\b(?!\s*;)",
        "own through std::make_unique, or absl::WrapUnique(new T) for a private constructor; what a C library keeps says "
        "`// style: allow raw-new, who deletes it`"),
    Ban("assert", r"(?<![\w_])assert\s*\(", "use CHECK for our own bugs (base/check.h), a status for anyone else's"),
    Ban("print", r"\b(?:printf|fprintf|puts|fputs|putchar)\s*\(|\bstd::(?:cout|cerr|clog)\b",
        "a library returns a status or logs; only programs print", places=_PROGRAMS, in_tests=True),
    Ban("detach", r"\.detach\s*\(\s*\)", "keep the thread and join it"),
    Ban("atomic-shared-ptr", r"atomic<\s*std::shared_ptr", "post the snapshot to the mailbox: TSan reports a race inside "
        "this compiler's atomic<shared_ptr>"),
    Ban("todo", r"\b(?:TODO(?!\(#\d+\))|FIXME|XXX|HACK)\b", "write TODO(#n) with an issue, or do it", comments=True),
    Ban("vague-name", r"\b(?:class|struct|namespace)\s+\w*(?:Manager|Utils?|Helpers?)\b",
        "say what it does: Pool, Parser, Listener …"),
)

# What Google's and gRPC's ownership idioms need: `new` whose result is owned at once.
_OWNED_NEW = re.compile(r"(?:WrapUnique|(?:unique|shared)_ptr<[^;]*>(?:\s+\w+)?|reset|\b\w+_)\s*[({]\s*new\b")


def _with_opening(lines, number):
    """The line, after the one before it when that ends in an open bracket."""
    before = lines[number - 2].rstrip() if number > 1 else ""
    return before + lines[number - 1].lstrip() if before.endswith(("(", "{")) else lines[number - 1]


def check(source):
    """Yields (line, rule, message)."""
    for ban in BANS:
        if source.path.startswith(ban.places) or (ban.in_tests and source.is_test):
            continue
        lines = source.lines if ban.comments else source.code_lines
        for number, line in enumerate(lines, 1):
            match = ban.pattern.search(line)
            if not match or (ban.rule == "raw-new" and _OWNED_NEW.search(_with_opening(lines, number))):
                continue
            if not source.allows(ban.rule, number):
                yield number, ban.rule, f"`{match.group(0).strip()}`: {ban.instead}"
