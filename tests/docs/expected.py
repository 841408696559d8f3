"""Whether a command printed what the page shows. Loose where two runs cannot agree: times, long numbers, ids, columns. Pure."""

import re

# First what is longer. A number of one digit is meant: 1 blocker is not 2.
_LOOSE = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?", r"\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?"),
    (r"\d{4}-\d\d-\d\d", r"\\d{4}-\\d\\d-\\d\\d"),
    (r"(?<![\w.])[0-9a-f]{12,}(?![\w.])", r"[0-9a-f]{12,}"),
    (r"(?<![\w.^])\d{2,}(?![\w.])", r"\\d+"),
    (r"…", r".*?"),
    (r"\s+", r"\\s+"),
)
_TOKEN = re.compile("|".join(f"({pattern})" for pattern, _ in _LOOSE))


def _pattern(line):
    parts, at = [], 0
    for match in _TOKEN.finditer(line):
        parts.append(re.escape(line[at:match.start()]))
        parts.append(_LOOSE[match.lastindex - 1][1].replace("\\\\", "\\"))
        at = match.end()
    return re.compile("".join(parts) + re.escape(line[at:]))


def missing(shown, printed):
    """The first of the shown lines that does not come, in their order, in what was printed; None: all do."""
    lines = iter(printed.splitlines())
    for line in shown:
        if line.strip() in ("", "…"):
            continue
        pattern = _pattern(line.strip())
        if not any(pattern.search(candidate) for candidate in lines):
            return line
    return None
