"""The benchmark of foreign pictures, on a folder small enough to work its figures by hand.

The networks are made by hand too: one reads ink beside the middle columns as 0 and none as 1; the
other takes much ink for no digit.  So a bar is a 1, a ring is a 0, and a comb would be a 0 if it
were not refused.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from mnist_net.learning.network import Architecture, Layer
from mnist_net.learning.scaling import Scaling
from mnist_net.pictures.form import in_mnist_form
from mnist_net.reading.reader import Reader
from mnist_net.trained.model import Model
from mnist_net.trained.store import save_model
from scripts.reading import speed
from scripts.reading.figures import main
from scripts.reading.foreign import Row, edit_distance, read_one_each, squashed
from scripts.reading.measures import KEPT
from tests.drawings import first_look

SIDE = 60

# SHA-256 of "abc" begins with ba and that of "bilal02s" is not looked at: half 0; of "test" with
# 9f and of "e" with 3f: half 1.
PICTURES = {
    ("single/abc/1_1.png", "1", "photo"): "bar",
    ("single/abc/1_2.png", "1", "photo"): "bar in the corner",
    ("single/test/0_1.png", "0", "photo"): "ring",
    ("single/test/0_2.png", "0", "photo"): "bar",
    ("single/test/0_3.png", "0", "photo"): "ring",
    ("single/e/0_1.png", "0", "paint"): "comb",
    ("single/bilal02s/0_1.png", "0", "scan"): "bar",
    ("multi/abc/11_1.png", "11", "paint"): "two bars",
    ("multi/test/01_1.png", "01", "paint"): "two bars",
    ("junk/abc/letter-x_1.png", "letter-x", "paint"): "comb",
    ("junk/abc/letter-O_1.png", "letter-O", "paint"): "ring",
    ("junk/test/object_1.png", "object", "photo"): "bar",
    ("junk/test/object-dog_1.png", "object-dog", "photo"): "damaged",
    ("printed/abc/0_1.png", "0", "other"): "ring",
}


def drawn(what: str) -> Image.Image:
    """Black strokes on white paper."""
    size = {"two bars": (2 * SIDE, SIDE), "comb": (2 * SIDE, 2 * SIDE)}.get(what, (SIDE, SIDE))
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    if what == "ring":
        pen.ellipse((12, 12, 48, 48), outline=0, width=5)
    for x in {"bar": [28], "bar in the corner": [4], "two bars": [40, 76]}.get(what, []):
        pen.rectangle((x, 12, x + 4, 48), fill=0)
    if what == "comb":
        pen.rectangle((40, 40, 46, 79), fill=0)
    for y in (40, 51, 62, 73) if what == "comb" else ():
        pen.rectangle((40, y, 79, y + 6), fill=0)
    return image


def linear(weights: np.ndarray, bias: float) -> Model:
    """Softmax whose second output is `images @ weights + bias` above the first."""
    columns = np.stack([np.zeros(784), weights.ravel()], axis=1).astype(np.float32)
    layer = Layer(columns, np.array([0.0, bias], np.float32))
    architecture = Architecture((784, 2), ("identity",), "softmax-cross-entropy")
    return Model(architecture, (layer,), np.array([0, 1]), Scaling.unit())


def reads_digits() -> Model:
    beside = np.ones((28, 28))
    beside[:, 9:19] = 0.0
    return linear(-beside, 8.0)


def knows_digits() -> Model:
    return linear(np.full((28, 28), -0.1), 22.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    lines = ["kind\tpath\tlabel\tstyle"]
    for (path, label, style), what in PICTURES.items():
        lines.append("\t".join((path.split("/")[0], path, label, style)))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if what == "damaged":
            (folder / path).write_bytes(b"no picture")
        else:
            drawn(what).save(folder / path)
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Both networks, and a data set of a bar and a black square in MNIST's form."""
    paths = {name: tmp_path / f"{name}.joblib" for name in ("model", "detector")} | {
        "dataset": tmp_path / "set.npz"
    }
    save_model(reads_digits(), paths["model"])
    save_model(knows_digits(), paths["detector"])
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 12:16] = 255
    images[1, 4:24, 4:24] = 255
    labels = np.array([1, 0], np.uint8)
    np.savez(paths["dataset"], x_train=images, y_train=labels, x_test=images[:1], y_test=labels[:1])
    return paths


def run_main(folder: Path, files: dict[str, Path], *options: str) -> tuple[str, dict]:
    named = [f"--{name}={path}" for name, path in files.items()]
    arguments = [f"--data={folder}", *named, "--output=f.json", "--plot=p.png", "--mistakes=m.txt"]
    result = CliRunner().invoke(main, [*arguments, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, json.loads(Path("f.json").read_text(encoding="utf-8"))


def test_figures_are_those_worked_by_hand(folder: Path, files: dict[str, Path]) -> None:
    output, figures = run_main(folder, files)
    single = figures["single"]
    # abc: naive 1 of 2, ours 2 of 2; test: 2 of 3 both ways.
    assert single["photo"] == {
        "naive": 0.5833,
        "ours": 0.8333,
        "ours, refusals are errors": 0.8333,
        "half 0": 1.0,
        "half 1": 0.6667,
        "sources": 2,
        "pictures": 5,
    }
    assert (single["photo, pooled"]["naive"], single["photo, pooled"]["ours"]) == (0.6, 0.8)
    # The comb is read as it is labelled, but refused.
    assert (single["paint"]["ours"], single["paint"]["ours, refusals are errors"]) == (1.0, 0.0)
    assert single["paint"]["half 0"] is None
    assert single["all"]["ours"] == round((1 + 2 / 3 + 1) / 3, 4)
    assert "scan" not in single
    assert (single["bilal02s"]["ours"], single["bilal02s"]["pictures"]) == (0.0, 1)
    # 11 is right, and 01 is one change away from it: 1 edit for 4 digits.
    multi = figures["multi"]
    assert (multi["exact"], multi["edits a digit"], multi["sources"]) == (0.5, 0.25, 2)
    assert (multi["half 0"]["exact"], multi["half 1"]["exact"]) == (1.0, 0.0)
    assert figures["printed"]["ours"] == 1.0
    assert "| photo | 58.3% | 83.3% | 83.3% | 100.0% | 66.7% | 2 | 5 |" in output
    assert "| several digits, all right | – | 50.0% | – | 100.0% | 0.0% | 2 | 2 |" in output


def test_refusals(folder: Path, files: dict[str, Path]) -> None:
    _, figures = run_main(folder, files)
    junk = figures["junk"]
    # The comb and what cannot be opened are refused, the bar is not, and the O does not count.
    assert (junk["refused"], junk["half 0"], junk["half 1"]) == (0.6667, 1.0, 0.5)
    assert junk["pictures"] == 3
    assert junk["groups"] == {
        "letters": {"refused": 1.0, "pictures": 1},
        "look-alike letters, not counted": {"refused": 0.0, "pictures": 1},
        "objects": {"refused": 0.5, "pictures": 2},
    }
    assert figures["digits"]["refused"] == 0.1667  # one of six; bilal02s does not count
    assert figures["digits"]["mean over sources"] == 0.3333  # the one of e; none of the others
    assert figures["MNIST refused"] == 0.5
    curve = figures["curve"]
    assert curve["thresholds"] == list(KEPT)
    at = {name: dict(zip(KEPT, shares, strict=True)) for name, shares in curve.items()}
    assert [at[name][0.5] for name in ("junk", "digits", "MNIST")] == [0.6667, 0.1667, 0.5]
    assert [at[name][0.0] for name in ("junk", "digits", "MNIST")] == [0.3333, 0.0, 0.0]
    assert at["junk"][1.0] == at["digits"][1.0] == 1.0
    assert all(shares == sorted(shares) for shares in curve.values())


def test_the_curve_is_drawn_and_mistakes_are_listed(folder: Path, files: dict[str, Path]) -> None:
    run_main(folder, files)
    with Image.open("p.png") as image:
        image.load()
        assert np.ptp(np.asarray(image.convert("L"))) > 200
    lines = [line.split("\t") for line in Path("m.txt").read_text().splitlines()]
    assert [line[:2] for line in lines] == [
        ["multi/test/01_1.png", "11"],
        ["junk/test/object_1.png", "1"],
        ["single/test/0_2.png", "1"],
        ["single/e/0_1.png", "0, refused"],
        ["single/bilal02s/0_1.png", "1"],
    ]


def test_speed(folder: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "PHOTOGRAPH", (400, 300))
    _, figures = run_main(folder, files, "--time")
    assert len(figures["speed"]) == 3
    assert all(value > 0.0 for value in figures["speed"].values())


def test_off_form_digits_are_found_again() -> None:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    page = speed.off_form(digit)
    assert page.shape == (28, 28)
    assert page.min() == 0
    assert in_mnist_form(page[..., None]) is None
    (view,) = first_look(page[..., None])
    assert view.figure.box == (13, 4, 17, 22)  # 24 / 28 as large, and moved by (3, 1)


def test_squashing_inverts_light_borders_only(tmp_path: Path) -> None:
    from mnist_net.pictures.decoding import Picture

    paper = np.full((56, 56, 3), 250, np.uint8)
    paper[20:36, 20:36] = 10
    small = squashed(Picture(paper))
    assert small.shape == (28, 28)
    assert (small[0, 0], small[14, 14]) == (5, 245)
    assert np.array_equal(squashed(Picture(255 - paper)), small)


def test_a_reader_that_refuses_cannot_measure_what_it_would_read() -> None:
    with pytest.raises(ValueError, match="refuses"):
        read_one_each([], Reader(reads_digits(), None))


@pytest.mark.parametrize(
    ("label", "is_lookalike", "group"),
    [
        ("letter-o", True, "letters"),
        ("letter-B", True, "letters"),
        ("letter-D", False, "letters"),
        ("greek-beta", False, "Greek letters"),
        ("word", False, "words and pages"),
        ("textpage", False, "words and pages"),
        ("printedtext-noise", False, "words and pages"),
        ("object-dog1", False, "objects"),
        ("scribble", False, "other"),
    ],
)
def test_sorts_of_junk(label: str, is_lookalike: bool, group: str) -> None:
    row = Row(Path("x"), f"junk/abc/{label}_1.png", "junk", label, "paint")
    assert (row.is_lookalike, row.group) == (is_lookalike, group)


@pytest.mark.parametrize(("source", "half"), [("abc", 0), ("hello", 0), ("test", 1), ("e", 1)])
def test_halves_go_by_published_digests(source: str, half: int) -> None:
    assert Row(Path("x"), f"single/{source}/1.png", "single", "1", "photo").half == half


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("", "123", 3),
        ("123", "", 3),
        ("123", "123", 0),
        ("123", "13", 1),
        ("12-34", "1234", 1),
        ("1234", "2341", 2),
        ("kitten", "sitting", 3),  # Levenshtein's textbook pair
        ("11", "01", 1),
    ],
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance
