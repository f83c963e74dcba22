"""The page stands alone, says what is so, and opens what it says it opens."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from mnist_net.reports.page import html
from mnist_net.reports.results import Report, Results
from mnist_net.reports.tables import markdown
from tests.reports.test_figures import random_case
from tests.reports.test_plots import history

VOID = {"meta", "img", "br", "link", "input", "hr"}
EVIL = "<script>alert(\"'1'\")</script> & | `x` [a](b)\n# \u200b\x1b[31m"


class Element:
    """One of a page: its name, attributes, and what is in it."""

    def __init__(self, name: str, attributes: dict[str, str | None]) -> None:
        self.name, self.attributes = name, attributes
        self.inside: list[Element | str] = []

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute] or ""

    def all(self, name: str = "", **attributes: str) -> "Iterator[Element]":
        """What is in it at any depth, of this name, with these attributes."""
        for one in self.inside:
            if isinstance(one, Element):
                if (not name or one.name == name) and attributes.items() <= one.attributes.items():
                    yield one
                yield from one.all(name, **attributes)

    @property
    def text(self) -> str:
        texts = [one if isinstance(one, str) else one.text for one in self.inside]
        return re.sub(r"\s+", " ", "".join(texts)).strip()


class Tree(HTMLParser):
    """A page as elements; what is opened must be closed, and in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open = [Element("", {})]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, self.open[-1].name

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(dict(attrs)) == len(attrs)
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def results_of(name: str, seed: int = 0, **more: Any) -> Results:
    """A model that is right on about three of four pictures; no two pictures are alike."""
    labels, probabilities, classes = random_case(n=300, seed=0)
    noise = np.random.default_rng(seed).dirichlet(np.ones(10), 300)
    images = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)
    return Results(name, images, labels, (probabilities + 0.5 * noise) / 1.5, classes, **more)


def read(*models: Results) -> Element:
    (root,) = Tree(html(Report("some pictures", models))).open
    return root


@pytest.fixture(scope="module")
def two() -> Element:
    weights = np.random.default_rng(0).normal(size=(784, 20))
    whole = results_of("a.joblib", histories=[history(True), history(False)], first_layer=weights)
    return read(whole, results_of("b.joblib", 1))


def shown(pictures: Element, root: Element) -> list[bytes]:
    """Pictures as they are seen: through their windows on the sheet."""
    (sheet,) = root.all("image")
    with Image.open(io.BytesIO(base64.b64decode(sheet["href"].partition(",")[2]))) as image:
        assert image.size == (int(sheet["width"]), int(sheet["height"]))
        ink = np.asarray(image)[..., 1]
    windows = [svg["viewbox"].split() for svg in pictures.all("svg") if "viewbox" in svg.attributes]
    for use in pictures.all("use"):
        assert use["href"] == f"#{sheet['id']}"
    corners = [tuple(map(int, window)) for window in windows]
    assert all(window[2:] == (28, 28) for window in corners)
    return [ink[y : y + 28, x : x + 28].tobytes() for x, y, *_ in corners]


def test_nothing_comes_from_elsewhere_and_nothing_runs(two: Element) -> None:
    for element in two.all():
        assert element.name not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            if name in {"href", "src", "srcset", "action", "xlink:href"}:
                assert (value or "").startswith(("#", "data:image/png;base64,"))
    (style,) = two.all("style")
    assert not re.search(r"url\(|@import|expression", style.text)
    (policy,) = two.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


def test_names_are_unique_and_links_lead_somewhere(two: Element) -> None:
    names = [element["id"] for element in two.all() if "id" in element.attributes]
    assert len(set(names)) == len(names)
    for element in two.all():
        for attribute in ("href", "popovertarget"):
            value = element.attributes.get(attribute) or ""
            if value and not value.startswith("data:"):
                assert value.removeprefix("#") in names


@pytest.mark.parametrize("number", [1, 2])
def test_each_cell_opens_the_pictures_that_fell_there(two: Element, number: int) -> None:
    model = results_of("a.joblib") if number == 1 else results_of("b.joblib", 1)
    answers = model.classes[model.probabilities.argmax(axis=1)]
    expected = metrics.confusion_matrix(model.labels, answers)
    (article,) = two.all("article", id=f"model-{number}")
    (table,) = article.all("table", **{"class": "confusion"})
    rows = [list(row.all("td")) for row in table.all("tr")][1:]
    of_label = model.probabilities[np.arange(300), model.labels]
    for (label, digit), count in np.ndenumerate(expected):
        cell = rows[label][digit]
        assert cell.text == (str(count) if count else "")
        if not count:
            continue
        (button,) = cell.all("button")
        assert button["aria-label"] == f"{label} read as {digit}: {count}"
        (drawer,) = two.all("div", id=button["popovertarget"])
        assert "popover" in drawer.attributes
        assert next(drawer.all("h3")).text == f"{label} read as {digit}"
        those = np.flatnonzero((model.labels == label) & (answers == digit))
        worst = those[np.argsort(of_label[those], kind="stable")][:24]
        assert shown(drawer, two) == [model.images[index].tobytes() for index in worst]
        said = [f"{model.probabilities[index].max():.1%}" for index in worst]
        written = [one.text for one in drawer.all("span", **{"class": "sure"})]
        assert [one.replace(" %", "%").removesuffix(" sure") for one in written] == said
        files = [one.text for one in drawer.all("span", **{"class": "file"})]
        assert files == [f"picture {index:,}" for index in worst]


def test_the_worst_mistakes_have_their_second_choice(two: Element) -> None:
    model = results_of("a.joblib")
    (mistakes,) = list(two.all("ol", **{"class": "mistakes"}))[:1]
    worst = model.evaluation.worst
    assert shown(mistakes, two) == [model.images[m["index"]].tobytes() for m in worst]
    for item, mistake in zip(mistakes.all("li"), worst, strict=True):
        assert f"{mistake['label']}→{mistake['digit']}" in item.text
        ranked = np.sort(model.probabilities[mistake["index"]])
        assert f"{mistake['digit']}: {ranked[-1]:.1%}".replace("%", " %") in item.text
        assert f"{mistake['second']}: {ranked[-2]:.1%}".replace("%", " %") in item.text


def test_the_figures_are_those_of_the_evaluation(two: Element) -> None:
    found = results_of("a.joblib").evaluation
    (article,) = two.all("article", id="model-1")
    low, high = found.accuracy_interval
    for said in (
        f"{found.errors} of 300",
        f"95 % interval {100 - 100 * high:.2f} % to {100 - 100 * low:.2f} %",
        f"{found.log_loss:.4f}",
        f"The calibration error is {100 * found.ece:.2f} %",
    ):
        assert said in article.text
    marks = [title.text for title in article.all("title")]
    assert marks == [
        f"{b['n']:,} answers {b['confidence']:.1%} sure: {b['accuracy']:.1%} right"
        for b in found.reliability
    ]


def test_models_side_by_side(two: Element) -> None:
    first, second = results_of("a.joblib"), results_of("b.joblib", 1)
    only_first = first.hits & ~second.hits
    (pair,) = two.all("div", **{"class": "pair"})
    ((_, _, found),) = Report("", [first, second]).comparisons
    assert found.only_first == only_first.sum() > 0
    assert f"p = {found.p_value:.2g}; both are wrong on {found.neither}." in pair.text
    assert f"{found.only_first} that only a.joblib gets right" in pair.text
    missed, _ = pair.all("ul")
    possible = {first.images[index].tobytes() for index in np.flatnonzero(only_first)}
    assert set(shown(missed, two)) <= possible
    assert len(shown(missed, two)) == min(len(possible), 10)
    answers = dict(zip((image.tobytes() for image in second.images), second.answers, strict=True))
    read_as = [int(em.text) for em in missed.all("em")]
    assert read_as == [answers[image] for image in shown(missed, two)]


def test_what_is_not_known_is_said() -> None:
    root = read(results_of("a.joblib"))
    assert "does not say how it was trained" in root.text
    assert not list(root.all("img"))
    known = read(results_of("a.joblib", histories=[history(validation=False)]))
    assert "Nothing was held out" in known.text
    assert "does not say" not in known.text


@pytest.mark.parametrize("n_classes", [1, 2])
def test_a_faultless_model_has_a_page(n_classes: int) -> None:
    labels = np.arange(4) % n_classes
    images = np.zeros((4, 28, 28), np.uint8)
    model = Results("m", images, labels, np.eye(n_classes)[labels], np.arange(n_classes))
    root = read(model)
    assert "0 of 4" in root.text
    assert not list(root.all("ol"))
    assert markdown(Report("s", [model]), ["m.png"]).count("![") == 0


def test_names_are_text_and_nothing_else() -> None:
    plain = read(results_of("a.joblib", files=["x.png"] * 300, story={"recipe": "none"}))
    evil = read(results_of(EVIL, files=[EVIL] * 300, story={"recipe": EVIL}))
    assert [e.name for e in evil.all()] == [e.name for e in plain.all()]
    assert "<script>alert(\"'1'\")</script>" in next(evil.all("h1")).text
    written = markdown(Report("s", [results_of(EVIL), results_of("a.joblib")]), ["1.png", "2.png"])
    assert "<script>" not in written
    assert "\x1b" not in written
    assert len([line for line in written.splitlines() if line.startswith("# ")]) == 1


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    models = [results_of("a.joblib"), replace(results_of("b.joblib", 1), notes={"refused": 1234})]
    text = markdown(Report("some pictures", models), ["1.png", "2.png"])
    assert text.startswith("# a.joblib and b.joblib on some pictures\n")
    assert "| refused | 1,234 |" in text
    assert re.findall(r"!\[.*\]\((.*)\)", text) == ["1.png", "2.png"]
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == 2 + 2 * 6
    for table in tables:
        rows = table.splitlines()
        assert len({row.count("|") for row in rows}) == 1
        assert re.fullmatch(r"\|(-+:?\|)+", rows[1])
