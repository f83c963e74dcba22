"""Recipes by name."""

from dataclasses import fields, replace
from typing import Any

from mnist_net.learning.distortion import DISTORTIONS, Distortion, name_of
from mnist_net.learning.recipe import Hyperparameters

_DEFAULT = Hyperparameters(
    hidden_layer_sizes=(800,),
    scaling="centred",
    normalization="moments",
    optimizer="adamw",
    learning_rate=6e-3,
    weight_decay=0.01,
    l2_penalty=0.0,
    batch_size=256,
    epochs=22,
    distortion=DISTORTIONS["both"],
    distortion_fade=1 / 3,
    drawn_digits=15_000,
)


class _Presets(dict[str, Hyperparameters]):
    """Recipes by name, which print as a table."""

    def __str__(self) -> str:
        names = [one.name for one in fields(Hyperparameters)]
        columns = [["", *names]] + [
            [preset, *(_shown(getattr(recipe, name)) for name in names)]
            for preset, recipe in self.items()
        ]
        padded = ([cell.ljust(max(map(len, column))) for cell in column] for column in columns)
        return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def _shown(value: Any) -> str:
    if isinstance(value, Distortion):
        return name_of(value) or "own"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


PRESETS = _Presets(
    {
        "default": _DEFAULT,
        "accurate": replace(
            _DEFAULT,
            hidden_layer_sizes=(2500,),
            epochs=120,
            learning_rate=4e-3,
            weight_decay=0.03,
            normalization="none",
            distortion_fade=0.0,
        ),
        "convolutional": replace(
            _DEFAULT,
            feature_maps=(16, 48),
            hidden_layer_sizes=(256,),
            activation="relu",
            epochs=40,
            learning_rate=4e-3,
            weight_decay=0.03,
            normalization="none",
        ),
        "plain": Hyperparameters(),
        "cs229": Hyperparameters(
            initialization="standard-normal",
            scaling="standard",
            learning_rate=5.0,
            momentum=0.0,
            l2_penalty=1e-4,
            schedule="constant",
            warmup_epochs=0.0,
            batch_size=1000,
            epochs=30,
            shuffle=False,
            validation=10_000,
        ),
    }
)
"""``default`` distorts its pictures, adds drawn ones and normalizes all; ``accurate`` distorts and
adds for longer and with more units, ``convolutional`` with layers of shared weights; ``plain`` does
neither; ``cs229`` is the exercise in Stanford's CS229 (a problem set on networks for MNIST)."""
