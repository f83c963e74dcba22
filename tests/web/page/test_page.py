"""The page, as people use it: in a browser, by mouse, finger and keyboard."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.datasets.drawn import DrawnDigit, drawings
from mnist_net.pictures.decoding import open_image
from mnist_net.reading.reader import Reader
from scripts.reading.foreign import read_manifest
from tests.conftest import ROOT, shared_data
from tests.web.page.browsing import AXE, answer, box, clear, draw, give, on_paper, until, wait
from tests.web.page.conftest import Open

PAGE = ROOT / "examples" / "page" / "page.jpg"
WHY = "#seen, #saliency, #units canvas"


def digit(label: int, seed: int = 3) -> DrawnDigit:
    return next(one for one in drawings(60, seed) if one.label == label)


def scribble(page: Any) -> None:
    """Fill a square."""
    left, top, width, height = box(page)
    page.locator("#width").evaluate("(slider) => { slider.value = 12; }")
    page.mouse.move(left + 0.25 * width, top + 0.25 * height)
    page.mouse.down()
    for row in range(12):
        for side in (0.25, 0.75) if row % 2 else (0.75, 0.25):
            page.mouse.move(left + side * width, top + (0.25 + row / 24) * height)
    page.mouse.up()
    wait(page)


@pytest.mark.slow
def test_a_hundred_digits_drawn_by_mouse_are_read(page: Any) -> None:
    read = []
    for drawing in drawings(100, 20):
        clear(page) if page.locator("#clear").is_enabled() else None
        draw(page, drawing)
        read.append(answer(page) == str(drawing.label))
    assert sum(read) >= 98


@pytest.mark.slow
def test_other_peoples_digits_are_read_as_the_command_line_reads_them(
    page: Any, reader: Reader
) -> None:
    folder = shared_data("foreign")
    rows = [
        row
        for row in read_manifest(folder)
        if row.kind == "single" and Path(row.path).suffix in (".png", ".jpg")
    ]
    right = []
    for row in rows[::25]:
        path = folder / row.path
        give(page, path)
        (reading,) = reader.read([open_image(path)])
        assert answer(page) == ("–" if reading.digit is None else str(reading.digit)), path.name
        if "bilal02s" not in row.path:  # crops of old registers, with pieces of their neighbours
            right.append(answer(page) == row.label)
    assert len(right) > 30
    assert np.mean(right) >= 0.95


def test_the_answer_comes_with_its_reasons(page: Any) -> None:
    assert page.locator("#why").is_hidden()
    assert page.locator("#answer").get_attribute("data-state") == "empty"
    draw(page, digit(7))
    assert answer(page) == "7"
    assert re.fullmatch(r"\d+\.\d % sure", page.locator("#sure").inner_text())
    shares = page.locator("#bars .bar").evaluate_all(
        "bars => bars.map(bar => Number(bar.style.getPropertyValue('--share')))"
    )
    assert len(shares) == 10
    assert np.isclose(sum(shares), 1.0, atol=1e-4)
    assert np.argmax(shares) == 7
    drawn = page.locator(WHY).evaluate_all(
        "all => all.map(one => one.getContext('2d').getImageData(0, 0, 28, 28).data"
        ".filter((value, k) => k % 4 === 3 && value > 0).length)"
    )
    assert len(drawn) == 2 + 8
    assert min(drawn) > 30
    until(page, "document.getElementById('told').textContent.startsWith('7, ')")


def test_what_is_no_digit_gets_a_dash_and_a_reason(page: Any) -> None:
    scribble(page)
    assert answer(page) == "–"
    assert page.locator("#sure").inner_text() == "What is on it does not look like a digit"


def test_the_answer_comes_while_the_stroke_is_drawn(page: Any) -> None:
    ((first, *others),) = on_paper(page, digit(3).strokes)[:1]
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place)
    # The last point is asked about too, though the pen rests there and is still down.
    until(page, "document.getElementById('digit').textContent === '3'")
    assert page.locator("#why").is_hidden()
    page.mouse.up()
    wait(page)
    assert page.locator("#why").is_visible()


def test_undo_takes_back_a_stroke_a_picture_and_clear(page: Any) -> None:
    assert page.locator("#undo").is_disabled()
    draw(page, digit(7))
    clear(page)
    assert answer(page) == ""
    page.click("#undo")
    wait(page)
    assert answer(page) == "7"
    give(page, ROOT / "examples" / "5.png")
    assert answer(page) == "5"
    page.keyboard.press("Control+z")
    wait(page)
    assert answer(page) == "7"
    for _ in digit(7).strokes:
        page.click("#undo")
    wait(page)
    assert answer(page) == ""


def test_a_wider_pen_draws_more_ink(page: Any) -> None:
    inked = []
    for width in (2, 12):
        page.locator("#width").fill(str(width))
        left, top, side, _ = box(page)
        page.mouse.move(left + 0.5 * side, top + 0.2 * side)
        page.mouse.down()
        page.mouse.move(left + 0.5 * side, top + 0.8 * side)
        page.mouse.up()
        page.wait_for_timeout(50)
        inked.append(
            page.locator("#canvas").evaluate(
                "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
                ".filter((value, k) => k % 4 === 3 && value > 127).length"
            )
        )
        clear(page)
    assert 5 < inked[1] / inked[0] < 7


@pytest.mark.parametrize("event", ["drop", "paste", "choose"])
def test_a_picture_comes_in_every_way(page: Any, event: str) -> None:
    path = ROOT / "examples" / "4.png"
    if event == "choose":
        with page.expect_file_chooser() as chooser:
            page.locator("#choose").press("Enter")
        chooser.value.set_files(path)
        until(page, "document.getElementById('digit').textContent === '4'")
    else:
        give(page, path, event)
    assert answer(page) == "4"


def test_a_stroke_on_a_picture_is_read_with_it(page: Any) -> None:
    give(page, ROOT / "examples" / "4.png")
    scribble(page)
    assert answer(page) != "4"


def test_the_camera_is_shown_and_its_picture_is_taken(page: Any) -> None:
    page.click("#camera")
    until(page, "document.getElementById('video').videoWidth > 0")
    page.click("#camera")  # which now says: cancel
    assert page.locator("#video").is_hidden()
    page.click("#camera")
    until(page, "document.getElementById('video').videoWidth > 0")
    page.click("#shoot")
    until(page, "!document.getElementById('paper').classList.contains('blank')")
    assert page.locator("#video").is_hidden()
    wait(page)


def test_a_finger_draws(opened: Open) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    hand = page.context.new_cdp_session(page)
    for points in on_paper(page, digit(2).strokes):
        kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
        for kind, (x, y) in zip(kinds, points, strict=True):
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait(page)
    assert answer(page) == "2"
    assert page.evaluate("scrollY") == 0  # the paper is drawn on, not moved


def test_the_keyboard_draws(page: Any) -> None:
    page.focus("#canvas")
    for key, times in {"ArrowUp": 9, " ": 1, "ArrowDown": 18, "Space": 1}.items():
        for _ in range(times):
            page.keyboard.press(key)
    wait(page)
    assert answer(page) == "1"
    page.keyboard.press("Backspace")
    wait(page)
    assert answer(page) == ""
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('clear').disabled")
    page.keyboard.press("Delete")
    wait(page)
    assert answer(page) == ""


def test_the_keyboard_reaches_every_control(page: Any) -> None:
    draw(page, digit(7))
    page.locator("h1").click()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert reached >= {"theme", "canvas", "width", "undo", "clear", "choose", "camera"}
    assert reached >= {"One digit", "A page", *map(str, range(10))}
    page.locator(".modes button").nth(1).press("Enter")
    assert page.locator("#text").is_visible()


def test_a_page_is_read_with_boxes_text_and_table(
    page: Any, reader: Reader, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("button[data-mode=page]")
    give(page, PAGE)
    expected = reader.read_page(open_image(PAGE))
    assert page.locator("#text").input_value() == expected.text
    assert page.locator("#count").inner_text() == "22 digits in 3 rows"
    assert page.locator("#boxes rect:not(.plate)").count() == len(expected.digits)
    page.click("#copy")
    until(page, "document.getElementById('copied').textContent !== ''")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == expected.text.split()
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "digits.csv")
    header, *lines = (tmp_path / "digits.csv").read_text().splitlines()
    assert header == "row,column,digit,probability,score,x,y,width,height"
    cells = [line.split(",") for line in lines]
    assert [int(cell[2]) for cell in cells] == [one.digit for one in expected.digits]
    assert [tuple(map(int, cell[5:])) for cell in cells] == [one.box for one in expected.digits]
    assert [cell[:2] for cell in cells[-4:]] == [["3", str(column)] for column in range(1, 5)]


def test_the_boxes_lie_on_the_digits(page: Any) -> None:
    page.click("button[data-mode=page]")
    places = []
    for label, share in ((7, 0.25), (2, 0.7)):
        left, top, width, height = box(page)
        middle = np.array([left + share * width, top + height / 2])
        for points in digit(label).strokes:
            path = (points - 120) * (height / 240) + middle
            page.mouse.move(*path[0])
            page.mouse.down()
            for place in path[1:]:
                page.mouse.move(*place)
            page.mouse.up()
        places.append(middle[0])
    wait(page)
    until(page, "document.getElementById('text').value === '72'")
    for frame, place in zip(page.locator("#boxes rect:not(.plate)").all(), places, strict=True):
        found = frame.bounding_box()
        assert found["x"] < place < found["x"] + found["width"]


def test_each_mode_keeps_its_paper(page: Any) -> None:
    draw(page, digit(7))
    page.click("button[data-mode=page]")
    assert page.locator("#undo").is_disabled()
    page.click("button[data-mode=draw]")
    assert answer(page) == "7"
    assert page.locator("#undo").is_enabled()


def test_a_correction_is_sent_with_its_picture(page: Any) -> None:
    sent = []

    def keep(route: Any) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=201, content_type="application/json", body='{"stored": true}')

    page.route("**/api/feedback", keep)
    draw(page, digit(7))
    page.click("#labels button:nth-child(2)")
    until(page, "document.getElementById('thanks').textContent.includes('a 1')")
    (correction,) = sent
    assert correction.keys() == {"label", "png", "said"}
    assert (correction["label"], correction["said"]) == (1, 7)
    assert correction["png"].startswith("iVBORw0KGgo")  # a PNG's first bytes in base64


def test_corrections_are_not_asked_for_where_they_are_not_kept(opened: Open, page: Any) -> None:
    draw(page, digit(7))
    assert page.locator("#correction").is_visible()
    problem = {"type": "about:blank", "status": 404, "detail": "corrections are not kept here"}
    page.route(
        "**/api/feedback",
        lambda route: route.fulfill(
            status=404, content_type="application/problem+json", body=json.dumps(problem)
        ),
    )
    page.click("#labels button:nth-child(2)")
    page.wait_for_selector("#trouble")
    assert page.locator("#trouble").inner_text() == "Corrections are not kept here."
    assert page.locator("#correction").is_hidden()


def test_errors_are_sentences_and_pass(page: Any) -> None:
    give(page, ROOT / "README.md")
    assert "“README.md” is not a picture" in page.locator("#trouble").inner_text()
    problem = json.dumps({"detail": "too many requests: try again in a second"})
    page.route(
        "**/api/predict*",
        lambda route: route.fulfill(
            status=429, content_type="application/problem+json", body=problem
        ),
    )
    draw(page, digit(7))
    assert "Too many requests: try again in a second." in page.locator("#trouble").inner_text()
    assert answer(page) == ""
    page.unroute("**/api/predict*")
    page.route("**/api/predict*", lambda route: route.abort())
    clear(page)
    draw(page, digit(7))
    assert "does not answer" in page.locator("#trouble").inner_text()
    page.unroute("**/api/predict*")
    clear(page)
    draw(page, digit(7))
    assert page.locator("#trouble").is_hidden()
    assert answer(page) == "7"


def test_a_late_answer_does_not_replace_a_newer_one(page: Any) -> None:
    held = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/api/predict?explain=1", hold)
    left, top, width, _ = box(page)
    for _ in range(2):
        page.mouse.move(left + width / 2, top + 100)
        page.mouse.down()
        page.mouse.up()
    until(page, "document.getElementById('answer').ariaBusy === 'true'")
    while len(held) < 2:
        page.wait_for_timeout(10)
    said = {"digit": 8, "score": 0.9, "probabilities": {str(k): 0.1 for k in range(10)}}
    for route, label in ((held[1], 8), (held[0], 3)):
        body = json.dumps({"readings": [{**said, "digit": label}]})
        with contextlib.suppress(Exception if label == 3 else ()):  # whoever asked has gone
            route.fulfill(status=200, content_type="application/json", body=body)
    wait(page)
    page.wait_for_timeout(50)
    assert answer(page) == "8"


def test_dark_and_light_follow_the_system_and_the_button(opened: Open) -> None:
    page = opened(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    light = page.evaluate(ground)
    assert light != dark
    page.reload()
    assert page.evaluate(ground) == light
    page.click("#theme")
    assert page.evaluate(ground) == dark


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("mode", ["draw", "page"])
def test_no_width_needs_sideways_scrolling(opened: Open, width: int, mode: str) -> None:
    page = opened(viewport={"width": width, "height": 800})
    draw(page, digit(7))
    page.click(f"button[data-mode={mode}]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 390:
        _, top, _, height = box(page)
        assert top + height < 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["empty", "answer", "refused", "trouble", "page"])
def test_axe_finds_no_fault(opened: Open, scheme: str, state: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: make test-web fetches it")
    page = opened(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    match state:
        case "answer":
            draw(page, digit(7))
        case "refused":
            scribble(page)
        case "trouble":
            give(page, ROOT / "README.md")
        case "page":
            page.click("button[data-mode=page]")
            give(page, PAGE)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    assert found["passes"]
    faults = [
        (fault["id"], fault["impact"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
    ]
    assert not faults


def test_the_policy_forbids_what_the_page_does_without(page: Any, address: str) -> None:
    response = page.request.get(address)
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "<script>" not in response.text()
    assert "style=" not in response.text()
