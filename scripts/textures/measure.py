"""Measure how well writing is told from textures: results/textures.json, minutes.

    python -m scripts.textures measure

The pages are of other seeds than those it was trained on, of the same half.  Here is what share of
the digits on them is lost at each threshold of the probability that they are written, and what
share of the textures that a network of pages takes for digits.  The real photographs are the same.
"""

import json
from pathlib import Path
from typing import Any

import click

from mnist_net.arrays import Array, Bytes
from mnist_net.trained.store import load_model
from scripts import options
from scripts.records import stamp, write_json
from scripts.textures.samples import fields_of, make
from scripts.textures.train import tasks

FIRST_SEED = 400_000
THRESHOLDS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9)


def measured(said: Array, written: Bytes) -> dict[str, Any]:
    """Shares of what is written, and of textures, by the probability that they are written, N."""
    digits, textures = said[written == 1], said[written == 0]
    return {
        "digits": len(digits),
        "textures": len(textures),
        "digits and textures that are refused, by threshold": {
            str(least): [round(float((some < least).mean()), 4) for some in (digits, textures)]
            for least in THRESHOLDS
        },
    }


@click.command(help=options.paragraphs(__doc__))
@options.dataset
@options.data
@options.file("--textures", "models/textures.joblib")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Pages of each kind with writing.",
)
@options.jobs
@options.file("--output", "results/textures.json")
def main(
    dataset: str,
    data: Path,
    textures: Path,
    count: int,
    jobs: int,
    output: Path,
) -> None:
    network = load_model(textures)
    samples = make(tasks(count, FIRST_SEED), dataset, data, jobs)
    said = network.predict_proba(fields_of(samples.squares))[:, 1]
    result = {**measured(said, samples.written), **stamp()}
    write_json(output, result)
    click.echo(json.dumps(result, indent=1))
