"""The locks are closed: pip installs them with ``--no-deps``, so nothing may be missing from them.

Whatever the project or a pinned package requires, extras included, is pinned too, at a version that
satisfies the requirement. What a package requires is read from its installed metadata, and so what
is installed must be what is pinned.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import requires, version

import pytest
from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT, extra

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {
    name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for name in ("run", "dev", "extras-test")
}
APART = {
    "cluster": "distributed",
    "onnx": "onnx",
    "safetensors": "safetensors",
    "tune": "optuna",
}
"""Extras, with the module of each, that have a lock of their own, ``extras-test``, with what their
tests need."""

HERE = dict(default_environment())
SYSTEMS = {
    "Linux": {"os_name": "posix", "sys_platform": "linux"},
    "Darwin": {"os_name": "posix", "sys_platform": "darwin"},
    "Windows": {"os_name": "nt", "sys_platform": "win32"},
}
ENVIRONMENTS = {"here": HERE} | {
    f"{system}, {python}": HERE
    | {"platform_system": system, "python_version": python, "python_full_version": f"{python}.0"}
    | names
    for system, names in SYSTEMS.items()
    for python in ("3.11", "3.12", "3.13", "3.14")
}


def applies(requirement: Requirement, environment: dict[str, str], extras: Iterable[str]) -> bool:
    """Whether a requirement counts in an environment, with one of the extras or without."""
    return requirement.marker is None or any(
        requirement.marker.evaluate(environment | {"extra": extra}) for extra in ("", *extras)
    )


def pins(lock: str, environment: dict[str, str] = HERE) -> dict[str, str]:
    """The version of each package that a lock holds for an environment."""
    found = {}
    for line in lock.splitlines():
        if line.startswith((" ", "#")):  # a hash, a comment
            continue
        pin = Requirement(line.rstrip("\\"))  # fails for an option of pip's, as an index would be
        (exact,) = pin.specifier
        assert exact.operator == "=="
        if applies(pin, environment, ()):
            found[canonicalize_name(pin.name)] = exact.version
    return found


def unmet(
    wanted: Iterable[str],
    pinned: Mapping[str, str],
    required_by: Callable[[str], Iterable[str]],
    environment: dict[str, str] = HERE,
) -> list[str]:
    """What the project wants, or a pinned package requires, and the pins do not satisfy."""
    todo = [("the project", line, frozenset[str]()) for line in (*wanted, *pinned)]
    done, found = set(), []
    while todo:
        step = who, line, extras = todo.pop()
        requirement = Requirement(line)
        if step in done or not applies(requirement, environment, extras):
            continue
        done.add(step)
        name = canonicalize_name(requirement.name)
        held = pinned.get(name)
        if held is None or not requirement.specifier.contains(held, prereleases=True):
            found.append(f"{who} requires {line}: {held}")
        if held is not None:
            todo += [(name, line, frozenset(requirement.extras)) for line in required_by(name)]
    return sorted(found)


def group(name: str) -> list[str]:
    """What a dependency group holds, with the groups that it includes."""
    return [
        line
        for entry in PROJECT["dependency-groups"][name]
        for line in ([entry] if isinstance(entry, str) else group(entry["include-group"]))
    ]


def covered(lock: str) -> list[str]:
    """What a lock is made for: as `make lock` has it, and what a build asks for."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    chosen = APART.keys() if lock == "extras-test" else extras.keys() - APART.keys()
    wanted = [*project["dependencies"], *(line for name in sorted(chosen) for line in extras[name])]
    if lock == "extras-test":
        tests = (ROOT / "requirements" / "extras-test.in").read_text(encoding="utf-8")
        return [*wanted, *(line for line in tests.splitlines() if not line.startswith("#"))]
    build = [*PROJECT["build-system"]["requires"], *group("build")]
    return [*wanted, *build, *(group("dev") if lock == "dev" else [])]


@cache
def required_by_installed(name: str) -> list[str]:
    """What a package requires, by its metadata; one for other systems only is not at hand."""
    here = pins(LOCKS["dev"]) | pins(LOCKS["extras-test"])
    return requires(name) or [] if name in here else []


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins(LOCKS["dev"])
    assert {name: version(name) for name in pinned} == pinned


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_closed(lock: str, environment: dict[str, str]) -> None:
    if lock == "extras-test":
        for module in APART.values():
            extra(module)
    pinned = pins(LOCKS[lock], environment)
    assert unmet(covered(lock), pinned, required_by_installed, environment) == []


def test_the_development_lock_holds_the_other() -> None:
    for environment in ENVIRONMENTS.values():
        assert pins(LOCKS["run"], environment).items() <= pins(LOCKS["dev"], environment).items()


@pytest.mark.parametrize("name", ["docs", "extras-test", "web-test"])
def test_what_is_installed_on_top_agrees(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for environment in ENVIRONMENTS.values():
        known = pins(LOCKS["dev"], environment)
        found = pins(lock, environment)
        assert {name: found[name] for name in found.keys() & known} == {
            name: known[name] for name in found.keys() & known
        }


def test_the_project_is_built_by_what_is_pinned() -> None:
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={pins(LOCKS['run'])['hatchling']}"]


METADATA = {
    "a": ["B[fast]>=2", "never; python_version < '3'", "rare; extra == 'all'"],
    "b": ["c<1; extra == 'fast'", "colour; sys_platform == 'win32'"],
}


@pytest.mark.parametrize(
    ("wanted", "lock", "found"),
    [
        ("a", "a==1 b==2 c==0", []),
        ("a", "a==1 b==2 c==1", ["b requires c<1; extra == 'fast': 1"]),
        ("a", "a==1 b==2", ["b requires c<1; extra == 'fast': None"]),
        ("a", "a==1 b==1 c==0", ["a requires B[fast]>=2: 1"]),
        ("a[all]", "a==1 b==2 c==0", ["a requires rare; extra == 'all': None"]),
        ("A>1", "a==1 b==2 c==0", ["the project requires A>1: 1"]),
        ("d", "b==2", ["the project requires d: None"]),
        ("d", "b==2 d==1;sys_platform=='win32'", ["the project requires d: None"]),
    ],
)
def test_what_is_missing_is_found(wanted: str, lock: str, found: list[str]) -> None:
    def missing(system: str) -> list[str]:
        environment = ENVIRONMENTS[f"{system}, 3.11"]
        pinned = pins("\n".join(lock.split()), environment)
        return unmet([wanted], pinned, lambda name: METADATA.get(name, []), environment)

    assert missing("Linux") == found
    assert "b requires colour; sys_platform == 'win32': None" in missing("Windows")


@pytest.mark.parametrize("line", ["--extra-index-url somewhere", "a>=1", "a", "a==1,<2"])
def test_a_line_that_pins_nothing_is_an_error(line: str) -> None:
    with pytest.raises((InvalidRequirement, ValueError, AssertionError)):
        pins(line)
