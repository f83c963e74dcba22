"""The picture in the README, asserted: three rooms, and imports in one direction."""

import ast
import itertools
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROOMS = [
    # Ground: below everything.
    {"arrays", "errors", "thresholds"},
    # Mathematics: pure functions on plain data.
    {"learning"},
    # The world: files, pictures, downloads.
    {
        "annotation",
        "answers",
        "checkpoints",
        "committee_runs",
        "datasets",
        "files",
        "pictures",
        "reading",
        "runs",
        "trained",
        "views",
    },
    # Faces: what people and other libraries see.
    {"__init__", "__main__", "cli", "estimator", "plots", "reporting"},
]
ALLOWED_BELOW = {1: {"numpy"}, 0: {"numpy"}}  # what a room may import from outside the package
HEAVY = {"sklearn", "scipy", "matplotlib", "pooch"}  # imported in functions, but in estimator
MODULES = sorted((ROOT / "mnist_net").rglob("*.py"))


def room_of(module: str) -> int:
    return next(level for level, room in enumerate(ROOMS) if module in room)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "mnist_net").with_suffix("").parts
    return parts[0]


def imports(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.append(node.module or "")
    return names


def test_every_module_has_a_room_and_every_name_a_module() -> None:
    there = {name_of(path) for path in MODULES}
    assert there == set().union(*ROOMS)
    assert not any(a & b for a, b in itertools.combinations(ROOMS, 2))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(name_of(path))
    for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        package, _, rest = name.partition(".")
        if package == "mnist_net" and rest:
            other = rest.split(".")[0]
            assert room_of(other) <= room, f"{path.name} imports {other} from a later room"
        elif room in ALLOWED_BELOW and package not in ALLOWED_BELOW[room]:
            assert package in sys.stdlib_module_names, f"{path.name} imports {package}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_slow_libraries_are_imported_where_they_are_used(path: Path) -> None:
    if path.name == "estimator.py":
        return
    top = ast.Module(
        [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)],
        type_ignores=[],
    )
    assert not HEAVY & {name.split(".")[0] for name in imports(top)}


def test_no_room_of_mathematics_prints_or_opens_files() -> None:
    for path in MODULES:
        if name_of(path) in ROOMS[1]:
            calls = {
                node.func.id
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            assert not calls & {"print", "open", "input"}, path


def test_every_equation_of_the_derivation_stands_at_a_line_of_code() -> None:
    derived = set(
        re.findall(r"\\tag\{(\w+)\}", (ROOT / "docs" / "derivation.md").read_text("utf8"))
    )
    coded = {
        number
        for path in MODULES
        for number in re.findall(r"# \((\d+[a-d]?)\)", path.read_text(encoding="utf-8"))
    }
    assert derived - coded == {"10"}  # the definition that (11) rewrites
    assert coded <= derived
