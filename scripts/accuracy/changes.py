"""The ideas: what each changes in how a network learns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mnist_net import PRESETS
from mnist_net.datasets.dataset import Dataset
from scripts.accuracy.lessons import Lesson, dropped, enlarged, mixed, smoothed, widened

BASE = replace(PRESETS["accurate"], hidden_layer_sizes=(800,), epochs=12, drawn_digits=0)
"""Smaller and shorter than what it is to choose for, so that there is time for two seeds."""


class Idea(NamedTuple):
    """What an idea changes.

    Attributes
    ----------
    recipe
        Fields of the base that have other values.
    lesson
        What an epoch has in place of the examples and the recipe.
    width
        Of each digit, in pixels; None leaves it as it is.
    units_dropped
        Share of the hidden units.
    """

    recipe: Mapping[str, Any] = {}
    lesson: Lesson | None = None
    width: int | None = None
    units_dropped: float = 0.0

    def pictures(self, dataset: Dataset) -> Dataset:
        """As its networks see them."""
        if self.width is None:
            return dataset
        return dataset._replace(images=widened(dataset.images, self.width))


def _soft(temperature: float, **others: Any) -> Idea:
    return Idea({"teacher_weight": 1.0, "teacher_temperature": temperature, **others})


def _elastic(**amounts: float) -> Idea:
    return Idea({"distortion": replace(BASE.distortion, **amounts)})


def _maps(activation: str, learning_rate: float) -> Idea:
    return Idea(
        {
            "feature_maps": (16, 48),
            "hidden_layer_sizes": (256,),
            "activation": activation,
            "learning_rate": learning_rate,
        }
    )


IDEAS = {
    "labels alone": Idea(),
    "a teacher, λ = 0.9": Idea({"teacher_weight": 0.9}),
    "a teacher, λ = 1, T = 2": _soft(2.0),
    "a teacher, λ = 1, T = 4": _soft(4.0),
    "a teacher, λ = 1, T = 8": _soft(8.0),
    "a teacher, λ = 1, T = 4, half of the epochs again": _soft(4.0, fresh_epochs=6),
    "normalized by moments": Idea({"normalization": "moments"}),
    "labels alone, twice the epochs": Idea({"epochs": 24}),
    "labels alone, batches of 512": Idea({"batch_size": 512}),
    "batches of 1024 over the last third": Idea(lesson=enlarged(1024)),
    "batches of 4096 over the last third": Idea(lesson=enlarged(4096)),
    "label smoothing, ε = 0.1": Idea(lesson=smoothed(0.1)),
    "mixup, α = 0.2": Idea(lesson=mixed(0.2)),
    "a tenth of the inputs dropped": Idea(lesson=dropped(0.1)),
    "distortion falls over the last third": Idea({"distortion_fade": 1 / 3}),
    "elastic by 0.5 pixels": _elastic(elastic=0.5),
    "elastic by 1.5 pixels": _elastic(elastic=1.5),
    "elastic, σ = 4": _elastic(smoothness=4.0),
    "a tenth of the hidden units dropped": Idea(units_dropped=0.1),
    "half of the hidden units dropped": Idea(units_dropped=0.5),
    "digits 14 wide": Idea(width=14),
    "digits 17 wide": Idea(width=17),
    "digits 20 wide": Idea(width=20),
    "1600 units": Idea({"hidden_layer_sizes": (1600,)}),
    "16 and 48 feature maps, 256 sigmoids": _maps("sigmoid", 4e-3),
    "16 and 48 feature maps, 256 ReLUs, rate 0.001": _maps("relu", 1e-3),
    "16 and 48 feature maps, 256 ReLUs, rate 0.002": _maps("relu", 2e-3),
    "16 and 48 feature maps, 256 ReLUs, rate 0.004": _maps("relu", 4e-3),
}
