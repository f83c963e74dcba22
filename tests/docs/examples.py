"""The examples of the pages: blocks of code, and the commands in them."""

import re
from typing import NamedTuple

from scripts.docs.contents import pages
from tests.conftest import ROOT

PAGES = {"README": (ROOT / "README.md").read_text(encoding="utf-8"), **pages()}
"""The pages that show examples, by name."""

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    text: str


def blocks(markdown: str) -> list[Block]:
    """What stands between fences, in order."""
    return [Block(*found) for found in _FENCED.findall(markdown)]


def commands(console: str) -> list[str]:
    """The lines of a block, without comments; a line that ends with a backslash goes on."""
    lines = console.replace("\\\n", " ").splitlines()
    return [bare for line in lines if (bare := re.sub(r"(^|\s+)#.*$", "", line).strip())]
