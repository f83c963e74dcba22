"""The exported page reads in JavaScript by the numbers and sentences that Python reads by."""

import ast
import re
from types import ModuleType

import pytest

from mnist_net.export import web
from mnist_net.learning import normalization
from mnist_net.pictures import decoding, form, ink, layout, looks, not_writing
from mnist_net.reading import answers, judge, networks, reader

CONSTANT = re.compile(r"^(?:export )?const ([A-Z][A-Z_]*) = (.+);", re.MULTILINE)


@pytest.mark.parametrize(
    ("script", "modules", "its_own"),
    [
        ("ink.js", [ink, decoding], set()),
        ("pieces.js", [layout, not_writing], set()),
        ("form.js", [form], {"SIDE"}),
        ("normalization.js", [normalization], {"SIDE", "LAST"}),
        ("reader.js", [reader, answers, judge, networks, looks], {"UNITS"}),
    ],
)
def test_constants_are_pythons(script: str, modules: list[ModuleType], its_own: set[str]) -> None:
    text = (web._BROWSER / script).read_text("utf-8")
    found = dict(CONSTANT.findall(text))
    assert len(found) > len(its_own)
    for name in found.keys() - its_own:
        value, *divisor = map(ast.literal_eval, found[name].split(" / "))
        value = (
            tuple(value) if isinstance(value, list) else value / divisor[0] if divisor else value
        )
        pythons = [
            getattr(module, known)
            for module in modules
            for known in (name, f"_{name}")
            if hasattr(module, known)
        ]
        assert pythons[:1] == [value], name
