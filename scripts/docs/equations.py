"""Where the equations of the derivation stand in the code.

A line of code that implements an equation ends with its number, ``# (17)``.  What is found here is
read from the files each time, so that no line number is written down anywhere.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LEARNING = ROOT / "mnist_net" / "learning"

NUMBER = re.compile(r"\((\d+[a-d]?)\)")
TAG = re.compile(r"\s*\\tag\{(\w+)\}")
_COMMENT = re.compile(r"^(?P<code>.*\S)  # (?P<comment>\(\d+[a-d]?\).*)$")


class Line(NamedTuple):
    """A line of code that implements equations.

    Attributes
    ----------
    module
        The module's name in its folder, as ``network``.
    number
        From 1 on.
    code
        Without its indentation and its comment.
    equations
        Their numbers, as ``17`` or ``6a``.
    """

    module: str
    number: int
    code: str
    equations: tuple[str, ...]


def equations_of(line: str) -> tuple[str, ...]:
    """The equations whose numbers a line of code ends with."""
    found = _COMMENT.match(line)
    return tuple(NUMBER.findall(found["comment"])) if found else ()


def sources() -> dict[str, list[str]]:
    """The modules that implement equations, each as its lines."""
    found = {path.stem: path.read_text("utf8").splitlines() for path in LEARNING.glob("*.py")}
    return {
        module: lines
        for module, lines in sorted(found.items())
        if any(equations_of(line) for line in lines)
    }


def implementations() -> dict[str, list[Line]]:
    """The lines that implement each equation, by its number."""
    found = defaultdict(list)
    for module, lines in sources().items():
        for number, text in enumerate(lines, start=1):
            code = text.split("  # (")[0].strip()
            for equation in (equations := equations_of(text)):
                found[equation].append(Line(module, number, code, equations))
    return dict(found)


def derived(markdown: str) -> list[str]:
    """The numbers of the equations on a page, in order."""
    return TAG.findall(markdown)
