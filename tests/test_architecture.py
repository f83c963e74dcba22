"""The picture in the README, asserted: rooms are folders, and imports go in one direction."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "mnist_net"
RANKS = (
    {"arrays", "errors", "files"},
    {"learning", "pictures", "reports", "cluster"},
    {"trained", "datasets"},
    {"reading", "runs", "estimator"},
    {"export", "tuning", "web"},
    {"cli"},
    {"__init__", "__main__"},
)
"""What may import what: each from its own folder, and from the ranks before its own."""

ORDERS = {
    "learning": "activations losses network optimizers resampling normalization scaling distortion "
    "recipe training",
    "pictures": "ink pieces decoding straight underlines lines surroundings not_writing layout "
    "rows tables grid form looks sheets",
    "reports": "figures comparison results tables charts sprites page report",
    "tuning": "space proposals study search",
    "reading": "answers networks judge arcs rules lattice pages tables reader neighbours shortcuts "
    "many annotation",
}
"""Within some folders, from which module to which one reads on: none imports a later one."""

# Imported in functions, but in estimator.
HEAVY = {"sklearn", "scipy", "matplotlib", "pooch", "jinja2", "optuna", "sqlalchemy"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rank_of(room: str) -> int:
    return next(rank for rank, rooms in enumerate(RANKS) if room in rooms)


def imports(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.append(node.module or "")
    return names


def own_imports(path: Path) -> list[list[str]]:
    """Modules of the package that a file imports, as paths within it."""
    names = imports(ast.parse(path.read_text(encoding="utf-8")))
    return [name.split(".")[1:] for name in names if name.startswith("mnist_net.")]


def test_every_room_has_a_rank_and_every_folder_says_what_it_is() -> None:
    rooms = {room_of(path) for path in MODULES}
    assert rooms == set().union(*RANKS)
    assert sum(map(len, RANKS)) == len(rooms)
    for folder in {path.parent for path in MODULES}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf8"))), folder


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(path)
    for other, *_ in own_imports(path):
        assert other == room or rank_of(other) < rank_of(room), f"{path} imports from {other}"


@pytest.mark.parametrize("room", ORDERS)
def test_modules_of_a_room_read_in_order(room: str) -> None:
    order = ORDERS[room].split()
    for later, name in enumerate(order):
        path = PACKAGE / room / f"{name}.py"
        within = {parts[1] for parts in own_imports(path) if parts[0] == room}
        assert not within & set(order[later:]), path


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_slow_libraries_are_imported_where_they_are_used(path: Path) -> None:
    if path.name == "estimator.py":
        return
    top = ast.Module(
        [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)],
        type_ignores=[],
    )
    assert not HEAVY & {name.split(".")[0] for name in imports(top)}


@pytest.mark.parametrize("path", sorted((PACKAGE / "learning").glob("*.py")), ids=lambda p: p.stem)
def test_the_mathematics_knows_numpy_and_neither_files_nor_screens(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name in imports(tree):
        package, _, rest = name.partition(".")
        known = package in {"numpy", *sys.stdlib_module_names}
        assert known or (package == "mnist_net" and not rest.startswith("files")), name
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"print", "open", "input"}


def test_no_file_is_long() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, path


def test_every_equation_of_the_derivation_stands_at_a_line_of_code() -> None:
    derived = set(
        re.findall(r"\\tag\{(\w+)\}", (ROOT / "docs" / "derivation.md").read_text("utf8"))
    )
    coded = {
        number
        for path in (PACKAGE / "learning").glob("*.py")
        for number in re.findall(r"(?:#| and) \((\d+[a-d]?)\)", path.read_text(encoding="utf-8"))
    }
    assert derived - coded == {"10"}  # the definition that (11) rewrites
    assert coded <= derived


def test_only_the_service_knows_its_libraries() -> None:
    """They are an extra: nothing else needs them to be installed."""
    for path in MODULES:
        if room_of(path) != "web" and path.relative_to(PACKAGE) != Path("cli/serve.py"):
            names = imports(ast.parse(path.read_text(encoding="utf-8")))
            tops = {name.split(".")[0] for name in names}
            assert not tops & {"starlette", "uvicorn", "h11", "prometheus_client"}, path
            assert not any(n.startswith("mnist_net.web") for n in names), path
