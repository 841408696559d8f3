"""`python3 -m tools.docs FOLDER [--pinion PROGRAM]`: writes the reference, as Markdown, and where cmark-gfm is installed the whole site."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

from tools.docs import commands, protos, site

ROOT = pathlib.Path(__file__).resolve().parents[2]


def reference(program):
    """{name of the page: Markdown}"""
    schema = protos.read(ROOT / "protos")
    tree = json.loads(subprocess.run([program, "help-dump"], capture_output=True, text=True, check=True).stdout)
    return {"config.md": protos.config(schema), "api.md": protos.api(schema), "errors.md": protos.errors(schema),
            "commands.md": commands.reference(tree)}


def main():
    parser = argparse.ArgumentParser(prog="tools.docs", description="Makes the reference and the site of the documentation.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--pinion", type=pathlib.Path, default=ROOT / "build/release/pinion", help="the program whose commands are described")
    arguments = parser.parse_args()
    pages = reference(arguments.pinion)
    folder = arguments.folder / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text)
    if not shutil.which("cmark-gfm"):
        print(f"wrote {folder}; for the site, install cmark-gfm", file=sys.stderr)
        return
    site.write(ROOT, arguments.folder, pages)
    print(arguments.folder / "index.html")


if __name__ == "__main__":
    main()
