"""``mnist-net gradcheck``."""

import click

from mnist_net.cli import options
from mnist_net.cli.terminal import echo_json


@options.command("gradcheck", "gradcheck --json")
@options.seed("Of the test points.")
@options.as_json
@options.quiet
def gradcheck(seed: int, as_json: bool) -> None:
    """Prove that the derived gradients are right.

    Compares each with central differences of the loss, in float64, and prints ‖derived -
    numerical‖ / (‖derived‖ + ‖numerical‖) for every array of every system of the derivation.
    Exits with 1 if one is above 1e-7.
    """
    from mnist_net.learning.gradcheck import SYSTEMS, THRESHOLD, check_system

    checks = []
    for check in (check for system in SYSTEMS for check in check_system(system, seed)):
        checks.append(check)
        if not as_json:
            verdict = "ok" if check.error <= THRESHOLD else "WRONG"
            click.echo(f"{check.system:<28} {check.array:<3} {check.error:.1e}  {verdict}")
    worst = max(checks, key=lambda check: check.error)
    passed = worst.error <= THRESHOLD
    if as_json:
        records = [check._asdict() for check in checks]
        echo_json({"threshold": THRESHOLD, "passed": passed, "checks": records})
    else:
        click.echo(
            f"{len(checks)} arrays checked; the worst is {worst.array} of {worst.system} with "
            f"{worst.error:.1e} (the bar is {THRESHOLD:.0e})"
        )
    if not passed:
        raise click.exceptions.Exit(1)
