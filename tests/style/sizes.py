"""How long files, functions and lines may be, and how a file begins."""

from tests.style.source import functions

FUNCTION_LINES_MAX = 70
SOURCE_LINES_MAX = 500
HEADER_LINES_MAX = 200
COLUMNS_MAX = 100


def check(source):
    """Yields (line, rule, message) for a C++ file."""
    limit = HEADER_LINES_MAX if source.is_header else SOURCE_LINES_MAX
    if len(source.lines) > limit:
        yield (limit + 1, "file-length", f"{len(source.lines)} lines, the limit is {limit}; split it by what the parts are for")
    for name, first, last in functions(source):
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield (first, "function-length", f"{name} has {last - first + 1} lines, the limit is {FUNCTION_LINES_MAX}; keep "
                   "the branching here and move the leaves out")
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX and not line.lstrip().startswith("#include"):
            yield number, "line-length", f"{len(line)} columns, the limit is {COLUMNS_MAX}; ./dev fmt breaks code lines"
    if not source.has_header and not (source.lines and source.lines[0].startswith("// ")):
        yield 1, "file-comment", "the first line says what this file is (then who owns it and on which thread it runs)"
    if source.is_header and "#pragma once" not in source.lines:
        yield 1, "pragma-once", "a header says #pragma once after its comment"
