"""The exported page reads in JavaScript by the numbers that Python reads by."""

import ast
import re
from types import ModuleType

import pytest

from mnist_net.export import web
from mnist_net.pictures import decoding, form, ink, layout, looks, not_writing
from mnist_net.reading import judge, networks

CONSTANT = re.compile(r"^(?:export )?const ([A-Z_]+) = ([-\d.e]+|\[[-\d., ]+\]);", re.MULTILINE)


@pytest.mark.parametrize(
    ("script", "modules", "its_own"),
    [
        ("ink.js", [ink, decoding], set()),
        ("pieces.js", [layout, not_writing], set()),
        ("form.js", [form], {"SIDE"}),
        ("reader.js", [judge, networks, looks], {"UNITS"}),
    ],
)
def test_numbers_are_pythons(script: str, modules: list[ModuleType], its_own: set[str]) -> None:
    text = (web._BROWSER / script).read_text("utf-8")
    found = {name: ast.literal_eval(value) for name, value in CONSTANT.findall(text)}
    assert len(found) > len(its_own)
    for name in found.keys() - its_own:
        value = found[name] if isinstance(found[name], int | float) else tuple(found[name])
        pythons = [
            getattr(module, known)
            for module in modules
            for known in (name, f"_{name}")
            if hasattr(module, known)
        ]
        assert pythons[:1] == [value], name
