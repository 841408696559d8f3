"""Every link between files of the tree leads somewhere, anchors too, and docs/README.md leads to every page for users."""

import pathlib
import unittest

from tests.docs import pages
from tests.docs.tree import markdown, read
from tests.harness.process import ROOT

# Written for those who work on Pinion: docs/README.md leads to the folder.
_FOLDERS = ("docs/adr/", "docs/internals/")


class Links(unittest.TestCase):
    def setUp(self):
        self.pages = {path: read(path) for path in markdown()}

    def lead(self, path, target):
        """What is wrong with a link; None: nothing."""
        file, _, anchor = target.partition("#")
        place = (ROOT / path).parent / file if file else ROOT / path
        if not place.exists():
            return "leads nowhere"
        place = place.resolve()
        if not place.is_relative_to(ROOT):
            return "leads out of the tree"
        if not anchor:
            return None
        name = str(place.relative_to(ROOT))
        if name not in self.pages:
            return "has an anchor and leads to no page"
        return None if anchor in pages.anchors(self.pages[name]) else f"there is no heading #{anchor}"

    def test_links_lead_somewhere(self):
        for path, page in self.pages.items():
            for line, target in pages.links(page):
                if "://" in target or target.startswith("mailto:"):
                    continue
                with self.subTest(f"{path}:{line}"):
                    self.assertIsNone(self.lead(path, target), target)

    def test_the_index_leads_to_every_page(self):
        index = {str(((ROOT / "docs") / target.partition("#")[0]).resolve().relative_to(ROOT))
                 for _, target in pages.links(self.pages["docs/README.md"]) if "://" not in target}
        for path in self.pages:
            if path.startswith("docs/") and not path.startswith(_FOLDERS) and path != "docs/README.md":
                self.assertIn(path, index)

    def test_pictures_are_used(self):
        used = {str(((ROOT / path).parent / target).resolve()) for path, page in self.pages.items() for _, target in pages.links(page)}
        for picture in (ROOT / "docs/pictures").iterdir():
            self.assertIn(str(pathlib.Path(picture)), used)


if __name__ == "__main__":
    unittest.main()
