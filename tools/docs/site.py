"""The documentation as a folder of HTML, to be read from the disk or put on any web server: the pages of the tree, those of the reference,
the pictures, and beside each page the index."""

import html
import pathlib
import posixpath
import re
import shutil
import subprocess

from tools.docs.markdown import anchor

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --code: #8881; }
body { margin: 0 auto; max-width: 78rem; padding: 0 1.5rem 4rem; font: 16px/1.55 system-ui, sans-serif; display: grid;
       grid-template-columns: 15rem minmax(0, 1fr); gap: 3rem; }
nav { font-size: 0.9rem; padding-top: 1.5rem; position: sticky; top: 0; max-height: 100vh; overflow: auto; box-sizing: border-box; }
nav a { display: block; padding: 0.1rem 0; text-decoration: none; } nav b { display: block; margin: 1rem 0 0.2rem; }
main { padding-top: 1rem; } a { color: light-dark(#0b57d0, #8ab4f8); }
h1, h2, h3, h4 { line-height: 1.25; margin: 2rem 0 0.8rem; } h1 { margin-top: 0.8rem; }
pre { background: var(--code); padding: 0.8rem 1rem; overflow: auto; border-radius: 6px; line-height: 1.4; }
code { font: 0.88em ui-monospace, monospace; background: var(--code); padding: 0.1em 0.3em; border-radius: 4px; }
pre code { padding: 0; background: none; } img { max-width: 100%; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { border: 1px solid var(--line); padding: 0.35rem 0.7rem; vertical-align: top;
text-align: left; } thead:not(:has(th:not(:empty))) { display: none; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; } }
"""

# What is linked from the documentation and belongs to it, though it lies elsewhere in the tree.
_BESIDE = ("clients/README.md", "clients/cpp/README.md", "clients/go/README.md", "clients/java/README.md", "clients/node/README.md",
           "clients/python/README.md", "charts/pinion/README.md", "examples/addressbook/README.md")
_REFERENCE = (("config.md", "Configuration"), ("commands.md", "Commands"), ("api.md", "The registry's API"), ("errors.md", "Reasons of refusals"))


def _output(path):
    """Where a page of the tree goes: docs/README.md is the front page."""
    inner = path.removeprefix("docs/")
    return re.sub(r"\.md$", ".html", re.sub(r"(^|/)README\.md$", r"\1index.html", inner))


def _sources(root, reference):
    """{path in the tree: Markdown}"""
    paths = [str(path.relative_to(root)) for path in sorted((root / "docs").rglob("*.md"))]
    paths += [path for path in _BESIDE if (root / path).exists()]
    return {**{path: (root / path).read_text() for path in paths}, **{f"docs/reference/{name}": text for name, text in reference.items()}}


def _body(markdown):
    text = re.sub(r"<!--.*?-->", "", markdown, flags=re.DOTALL)
    made = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table"], input=text, capture_output=True, text=True,
                          check=True).stdout
    seen = {}

    def heading(match):
        name = anchor(html.unescape(re.sub(r"<[^>]+>", "", match.group(2))))
        count = seen.get(name, 0)
        seen[name] = count + 1
        return f'<h{match.group(1)} id="{name}{f"-{count}" if count else ""}">{match.group(2)}</h{match.group(1)}>'
    return re.sub(r"<h([1-6])>(.*?)</h\1>", heading, made, flags=re.DOTALL)


def _relinked(body, path, sources):
    """Links between pages lead to their HTML. What is not in the site stays as text."""
    here = posixpath.dirname(_output(path))

    def target(match):
        file, mark, name = match.group(2).partition("#")
        if "://" in file or not file:
            return match.group(0)
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
        if inside.endswith(".svg"):
            return f'{match.group(1)}="{posixpath.relpath(inside.removeprefix("docs/"), here or ".")}"'
        if inside not in sources:
            readme = posixpath.join(inside, "README.md")
            if readme not in sources:
                return f'title="{html.escape(inside)} in the sources"'
            inside = readme
        return f'{match.group(1)}="{posixpath.relpath(_output(inside), here or ".")}{mark}{name}"'
    return re.sub(r'(href|src)="([^"]*)"', target, body)


def _title(markdown):
    return re.search(r"(?m)^# (.*)", markdown).group(1)


def _linked_from(source, text):
    """The pages that a page leads to, each once, in its order."""
    found = []
    for target in re.findall(r"\]\(([^)#\s]+\.md)", text):
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if inside not in found:
            found.append(inside)
    return found


def _navigation(path, sources):
    """The links of the front page, without its words, and the reference."""
    here = posixpath.dirname(_output(path))

    def line(target, text):
        return f'<a href="{posixpath.relpath(_output(target), here or ".")}">{html.escape(text)}</a>'
    front = "docs/README.md"
    parts = [line(front, "Documentation")]
    for section in re.split(r"(?m)^## ", sources[front])[:-1]:
        title, _, text = section.partition("\n")
        if not title.startswith(("#", "Reference")):
            parts.append(f"<b>{html.escape(title)}</b>")
        parts += [line(source, _title(sources[source])) for source in _linked_from(front, text) if source in sources]
    parts.append("<b>Reference</b>")
    parts += [line(f"docs/reference/{name}", title) for name, title in _REFERENCE]
    return "\n".join(parts)


def write(root, folder, reference):
    """Writes the site. `reference`: {name: Markdown}."""
    sources = _sources(root, reference)
    for path, text in sources.items():
        output = pathlib.Path(folder) / _output(path)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                          f"<title>{html.escape(_title(text))} · Pinion</title><style>{_STYLE}</style></head>\n<body><nav>"
                          f"{_navigation(path, sources)}</nav>\n<main>{_relinked(_body(text), path, sources)}</main></body></html>\n")
    shutil.copytree(root / "docs/pictures", pathlib.Path(folder) / "pictures", dirs_exist_ok=True)
