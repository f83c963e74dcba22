"""The pages hang together, without Sphinx: what leads to what, and what stands for what."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import mnist_net
from scripts.docs import equations
from scripts.docs.contents import DOCS, anchors, chapters, links, pages, public_names
from tests.conftest import ROOT

PAGES = pages()
LINKED = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "models/README.md")),
    *sorted(DOCS.glob("*.md")),
]


def test_every_page_is_a_chapter_of_one_other_and_reached_from_the_first() -> None:
    parents = Counter(chapter for text in PAGES.values() for chapter in chapters(text))
    assert parents == dict.fromkeys(PAGES.keys() - {"index"}, 1)
    reached, todo = set(), ["index"]
    while todo:
        page = todo.pop()
        reached.add(page)
        todo += chapters(PAGES[page])
    assert reached == PAGES.keys()


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if ":" in target:  # an address
            continue
        path = page.parent / target if target else page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), link


def test_anchors_are_made_as_github_makes_them() -> None:
    text = "# A\n## Who may ask?\n### 8 × 8 `digits`, twice\n```\n# no heading\n```\n"
    assert anchors(text) == {"a", "who-may-ask", "8--8-digits-twice"}


def test_links_in_code_are_none_and_bullets_that_only_mention_a_page_no_chapters() -> None:
    text = "- [One](one.md): a.\n- See [two](two.md).\n```text\n- [three](three.md)\n```\n"
    assert links(text) == ["one.md", "two.md"]
    assert chapters(text) == {"one": "One"}


def test_every_public_name_is_explained_once() -> None:
    groups = public_names(mnist_net.__doc__ or "")
    named = [name for group in groups.values() for name in group]
    assert len(groups) == 5
    assert sorted(named) == sorted({*mnist_net.__all__} - {"__version__"})
    for name in named:
        value = getattr(mnist_net, name)
        assert isinstance(value, dict) or (value.__doc__ or "").strip(), name


def test_the_lines_of_an_equation_end_with_its_number() -> None:
    found = equations.implementations()
    assert set(equations.derived(PAGES["derivation"])) - found.keys() == {"10"}
    for number, lines in found.items():
        for line in lines:
            source = (equations.LEARNING / f"{line.module}.py").read_text("utf8").splitlines()
            text = source[line.number - 1]
            assert text.strip().startswith(line.code)
            assert line.code, number
            assert f"({number})" in text.split("  # ")[1]
    (line,) = found["19"][:1]
    code = "return _error(deltas[0], parameters[0], architecture.layer_convolutions[0])"
    assert line == ("network", line.number, code, ("19",))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("    A = [X]  # (1)", ("1",)),
        ("    x = f(y)  # (16) and, at last, (19)", ("16", "19")),
        ("    a - a * a  # (6b)", ("6b",)),
        ("    # (17) is above", ()),
        ("    x = (17)  # as it was", ()),
        ('    """by (26) and (28)"""', ()),
    ],
)
def test_numbers_count_at_the_end_of_code_alone(line: str, found: tuple[str, ...]) -> None:
    assert equations.equations_of(line) == found


def test_the_logo_is_a_drawing_of_its_own() -> None:
    text = (DOCS / "_static" / "logo.svg").read_text(encoding="utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in text
    assert "<image" not in text


def test_a_host_installs_what_make_installs() -> None:
    steps = (ROOT / ".readthedocs.yaml").read_text(encoding="utf-8")
    shown = PAGES["site"].partition("```sh\n")[2].partition("```")[0].splitlines()
    assert len(shown) == 4
    for step in shown[:3]:
        assert f"- {step}\n" in steps
    assert shown[3].removesuffix(" build/docs") in steps
