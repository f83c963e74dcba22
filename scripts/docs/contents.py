"""What the site of docs/ is made of: pages of plain Markdown, which read as well on GitHub.

A bullet that begins with a link to a page makes that page a chapter of the one it stands on; so the
lists that readers see are the table of contents, and there is no other.
"""

import re
import string
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REPOSITORY = "https://github.com/mnist-net/mnist-net/blob/main/"

_CHAPTER = re.compile(r"^- \[([^\]]+)\]\(([\w-]+)\.md\)", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_GROUP = re.compile(r"^(\w+)::\n\n((?:    .+\n)+)", re.MULTILINE)


def pages() -> dict[str, str]:
    """The pages of the site by name, each as its Markdown."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}


def chapters(markdown: str) -> dict[str, str]:
    """The pages that a page's bullets begin with, and what they are called there."""
    return {page: title for title, page in _CHAPTER.findall(_FENCED.sub("", markdown))}


def links(markdown: str) -> list[str]:
    """What a page links to, its pictures included."""
    return _LINK.findall(_FENCED.sub("", markdown))


def anchors(markdown: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    kept = set(string.ascii_lowercase + string.digits + "-_ ")
    return {
        "".join(c for c in heading.lower() if c in kept or c.isalpha()).replace(" ", "-")
        for heading in _HEADING.findall(_FENCED.sub("", markdown))
    }


def for_the_site(markdown: str) -> str:
    """A page's Markdown with its chapters, and with links that lead out of docs/ to GitHub."""
    markdown = markdown.replace("](../", f"]({REPOSITORY}")
    found = "\n".join(f"{title} <{page}>" for page, title in chapters(markdown).items())
    return f"{markdown}\n\n```{{toctree}}\n:hidden:\n\n{found}\n```\n" if found else markdown


def public_names(docstring: str) -> dict[str, dict[str, str]]:
    """The groups of names in the package's docstring: what each is, by name, by group."""
    return {
        group: dict(line.split(maxsplit=1) for line in lines.splitlines())
        for group, lines in _GROUP.findall(docstring)
    }
