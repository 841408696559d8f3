"""Pages of Markdown: their blocks, with what comments say about them, their headings and their links. Pure."""

import dataclasses
import re

# What is shown and never run; commands in them are found by `mistakes`.
SHOWN = ("text", "json", "proto", "go", "python", "cpp", "java", "js", "html", "xml", "cmake", "nginx", "promql", "ini", "toml")
RUN = ("console", "sh")
READ = ("yaml",)

_DIRECTIVE = re.compile(r"(world|not run|file|runs on|setup|values of|if installed|(?P<what>\S+) stands for)(?::\s*(?P<text>.*))?\Z", re.DOTALL)
_FENCE = re.compile(r"( {0,3})(```+)\s*(\S*)\s*\Z")
_COMMAND = re.compile(r"(?m)^\s*(?:\$ |(?:\./dev|pinion|kubectl|helm|apt|systemctl|etcdctl|curl|docker) [a-z-])")
_LINK = re.compile(r"(?<!!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")


@dataclasses.dataclass
class Directive:
    kind: str  # as in the list of the package's docstring: "not run", "stands for", …
    text: str
    line: int
    what: str = ""  # of "stands for"


@dataclasses.dataclass
class Block:
    language: str
    text: str
    line: int  # of the first line inside
    directives: list = dataclasses.field(default_factory=list)

    def said(self, kind):
        """The directive of this kind before the block, or None."""
        return next((directive for directive in self.directives if directive.kind == kind), None)


@dataclasses.dataclass
class Page:
    path: str
    parts: list  # of Block and Directive (only "setup"), in order
    world: str
    mistakes: list  # "docs/x.md:7: what is wrong, and what to do"
    prose: list  # (line, text) outside of blocks and comments

    def blocks(self):
        return [part for part in self.parts if isinstance(part, Block)]


class _Reader:
    def __init__(self, path, text):
        self.lines = text.splitlines()
        self.page = Page(path, [], "", [], [])
        self.pending = []
        self.at = 0

    def mistake(self, line, message):
        self.page.mistakes.append(f"{self.page.path}:{line}: {message}")

    def read(self):
        while self.at < len(self.lines):
            line = self.lines[self.at]
            fence = _FENCE.match(line)
            if fence:
                self.block(*fence.groups())
            elif line.lstrip().startswith("<!--"):
                self.comment()
            else:
                self.prose(line)
        for directive in self.pending:
            self.mistake(directive.line, f"`{directive.kind}` stands before no block")
        return self.page

    def prose(self, line):
        if line.strip():
            for directive in self.pending:
                self.mistake(directive.line, f"`{directive.kind}` stands before no block")
            self.pending = []
        before = self.lines[self.at - 1] if self.at else ""
        if line.startswith("    ") and not before.strip() and line.strip():
            self.mistake(self.at + 1, "an indented block; put it between ``` and say its language, such as console, sh, yaml or text")
        self.page.prose.append((self.at + 1, line))
        self.at += 1

    def block(self, indent, fence, language):
        first = self.at + 1
        end = next((n for n in range(first, len(self.lines)) if self.lines[n].strip() == fence), None)
        if end is None:
            self.mistake(first, "a block without an end")
            end = len(self.lines)
        text = "\n".join(line.removeprefix(indent) for line in self.lines[first:end])
        block = Block(language, text, first + 1, self.pending)
        self.pending = []
        self.page.parts.append(block)
        self.judge(block)
        self.at = end + 1

    def judge(self, block):
        reason = block.said("not run")
        if reason and len(reason.text.split()) < 3:
            self.mistake(reason.line, "`not run` needs a reason of some words")
        file = block.said("file")
        if file and not any(file.text.rpartition("/")[2] in line for _, line in self.page.prose):
            self.mistake(file.line, f"readers do not see that this is {file.text}: the text before it should say so")
        if block.language in SHOWN:
            if not reason and not block.said("file") and _COMMAND.search(block.text):
                self.mistake(block.line, f"a command in a block of {block.language}, which is not run; make it console or sh")
        elif block.language not in RUN + READ:
            self.mistake(block.line - 1, f"a block of language '{block.language}'; there are: {', '.join(RUN + READ + SHOWN)}")
        elif block.language == "console" and not reason and not block.text.startswith("$ "):
            self.mistake(block.line, "a console block begins with `$ ` and a command")

    def comment(self):
        first = self.at
        while self.at < len(self.lines) and "-->" not in self.lines[self.at]:
            self.at += 1
        self.at += 1
        text = "\n".join(self.lines[first:self.at]).strip().removeprefix("<!--").removesuffix("-->").strip()
        found = _DIRECTIVE.match(text)
        if not found:
            self.mistake(first + 1, f"a comment that means nothing to the tests: {text[:60]}")
            return
        what, body = found.group("what") or "", (found.group("text") or "").strip()
        directive = Directive("stands for" if what else found.group(1), body, first + 1, what)
        if directive.kind == "world":
            if self.page.world:
                self.mistake(first + 1, "a second world")
            self.page.world = body
        elif directive.kind == "setup":
            self.page.parts.append(directive)
        else:
            self.pending.append(directive)


def read(path, text):
    return _Reader(path, text).read()


def slug(heading):
    """The anchor that code hosts give a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text.replace("`", "")).replace(" ", "-")


def anchors(page):
    found, seen = set(), {}
    for _, line in page.prose:
        heading = re.match(r"#{1,6} (.*)", line)
        if heading:
            name = slug(heading.group(1))
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.add(f"{name}-{count}" if count else name)
    return found


def links(page):
    """(line, target) of every link and picture."""
    for number, line in page.prose:
        for match in _LINK.finditer(re.sub(r"`[^`]*`", "``", line)):
            yield number, next(group for group in match.groups() if group)


def code_spans(page):
    """(line, text) of what stands between backquotes in the prose."""
    for number, line in page.prose:
        for match in re.finditer(r"`([^`]+)`", line):
            yield number, match.group(1)
