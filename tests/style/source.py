"""A C++ file as the rules see it: raw lines, and the same lines with comments, literals and macros blanked out."""

import re

# What must not be taken for code: comments, string and character literals (raw strings first).
_NOT_CODE = re.compile(
    r'R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'
    r'|//[^\n]*|/\*.*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_ALLOW = re.compile(r"//.*\bstyle: allow ([a-z-]+), \S")


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


class Source:
    """`path` is relative to the root, with forward slashes; it decides which arrows and exceptions apply.

    `has_header`: a header beside it says what it is, as route_table.h does for route_table.cc and route_table_test.cc.
    """

    def __init__(self, path, text, has_header=False):
        self.path = path
        self.has_header = has_header
        self.text = text
        self.lines = text.splitlines()
        code = _NOT_CODE.sub(_blank, text)
        self.code = _DIRECTIVE.sub(_blank, code)
        self.code_lines = self.code.splitlines()

    @property
    def is_header(self):
        return self.path.endswith(".h")

    @property
    def is_test(self):
        """Tests, and what only they use: x_test.cc, testing_x.h, everything under tests/."""
        name = self.path.rsplit("/", 1)[-1]
        return self.path.startswith("tests/") or name.endswith("_test.cc") or name.startswith("testing_")

    def includes(self):
        """(line, quoted?, path) of each #include."""
        for number, line in enumerate(self.lines, 1):
            match = _INCLUDE.match(line)
            if match:
                yield number, match.group(1) == '"', match.group(2)

    def allows(self, rule, number):
        """Whether the line, or the comment on the line before it, says `// style: allow RULE, reason`."""
        for line in self.lines[max(0, number - 2):number]:
            match = _ALLOW.search(line)
            if match and match.group(1) == rule:
                return True
        return False


class _Brace:
    def __init__(self, kind, head, start):
        self.kind = kind    # "scope", "function", "inner" or "init"
        self.head = head    # what stood before it since the last statement
        self.start = start  # the line on which that began


_LEADING_TEMPLATE = re.compile(r"^\s*template\s*<")
_SCOPE = re.compile(r"^\s*(?:inline\s+|typedef\s+)*(?:namespace|class|struct|union|enum|extern)\b")
_PARENS = re.compile(r"\([^()]*\)")


def _without_template(head):
    while _LEADING_TEMPLATE.match(head):
        depth = 0
        for index, char in enumerate(head):
            depth += (char == "<") - (char == ">")
            if char == ">" and depth == 0:
                break
        head = head[index + 1:]
    return head


def _classify(head, parens, enclosing):
    """What a `{` after `head` opens."""
    if parens or any(brace.kind in ("function", "inner", "init") for brace in enclosing):
        return "inner"
    head = _without_template(head)
    flat = head
    while _PARENS.search(flat):
        flat = _PARENS.sub(" @ ", flat)
    if _SCOPE.match(flat) and "@" not in flat.split(":")[0].replace("alignas @", ""):
        return "scope"
    if "@" not in flat or ("=" in flat and "operator" not in flat):
        return "inner"
    in_initialisers = re.search(r"@[^:]*(?<!:):(?!:)", flat)
    if in_initialisers and re.search(r"[\w>]\s*$", flat):
        return "init"
    return "function"


def functions(source):
    """(name, first line, last line) of each function body, lambdas counted with what they stand in."""
    head, start, line, parens, stack = "", 1, 1, 0, []
    for char in source.code:
        if char == "\n":
            line += 1
        if char in "()":
            parens += 1 if char == "(" else -1
        if char == "{":
            stack.append(_Brace(_classify(head, parens, stack), head, start))
            head = ""
        elif char == "}" and stack:
            brace = stack.pop()
            if brace.kind == "function":
                name = re.search(r"(TEST\w*\([^)]*\)|[~\w:]+|operator\W+)\s*(?:\(|$)", _without_template(brace.head))
                yield (name.group(1) if name else "?"), brace.start, line
            head = brace.head + " @ " if brace.kind == "init" else ""
            start = brace.start if brace.kind == "init" else start
        elif char == ";" and not parens:
            head = ""
        elif char == ":" and re.search(r"\b(?:public|private|protected)\s*$", head):
            head = ""
        else:
            if not head.strip() and not char.isspace():
                start = line
            head += char
