"""The lock of the site is complete, for pip installs it with ``--no-deps`` and no other on top."""

from importlib.metadata import requires

import pytest

from tests.conftest import ROOT
from tests.docs.examples import commands
from tests.test_lock import ENVIRONMENTS, pins, unmet


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_lock_of_the_site_is_closed(environment: dict[str, str]) -> None:
    pytest.importorskip("sphinx", reason="make docs installs it")
    folder = ROOT / "requirements"
    wanted = commands((folder / "docs.in").read_text(encoding="utf-8"))
    lock = (folder / "docs.txt").read_text(encoding="utf-8")
    here = pins(lock)

    def required(name: str) -> list[str]:
        return requires(name) or [] if name in here else []

    assert unmet(wanted, pins(lock, environment), required, environment) == []
