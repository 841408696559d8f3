"""Pieces of Markdown that the pages of the reference are made of. Pure."""

import re

GENERATED = "<!-- Made by `./dev docs` from {}: change it there. -->"


def anchor(name):
    """Of a heading that is one name, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def link(text, target):
    return f"[{text}]({target})"


def cell(text):
    """Text as a cell of a table."""
    return text.replace("|", "\\|").replace("\n", "<br>")


def linked(text):
    """With links to the pages that it names, for pages of the reference; `<` is text."""
    return re.sub(r"\bdocs/([\w./-]+\.md)\b", r"[\1](../\1)", text.replace("<", "&lt;"))


def prose(comment):
    """A comment's paragraphs. What is indented in it is an example."""
    parts = []
    for line in comment.split("\n"):
        if line.startswith(" "):
            if parts and parts[-1].startswith("```"):
                parts[-1] = parts[-1].removesuffix("\n```") + f"\n{line.strip()}\n```"
            else:
                parts.append(f"```text\n{line.strip()}\n```")
        elif line:
            parts.append(linked(line))
    return "\n\n".join(parts)


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def page(source, *parts):
    return "\n\n".join([GENERATED.format(source), *(part for part in parts if part)]) + "\n"
