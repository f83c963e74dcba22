"""Handwritten digits, read by a neural network whose gradients are derived by hand.

Everything public is here, and each name is imported when it is first used, so that a program pays
only for what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Dataset as Dataset
    from mnist_net.datasets.dataset import Splits as Splits
    from mnist_net.datasets.loading import load_dataset as load_dataset
    from mnist_net.datasets.mnist import load_mnist as load_mnist
    from mnist_net.errors import DataError as DataError
    from mnist_net.errors import DivergenceError as DivergenceError
    from mnist_net.errors import ImageError as ImageError
    from mnist_net.errors import MnistNetError as MnistNetError
    from mnist_net.errors import ModelFileError as ModelFileError
    from mnist_net.estimator import DigitClassifier as DigitClassifier
    from mnist_net.learning.distortion import DISTORTIONS as DISTORTIONS
    from mnist_net.learning.distortion import Distortion as Distortion
    from mnist_net.learning.gradcheck import check_system as check_system
    from mnist_net.learning.recipe import PRESETS as PRESETS
    from mnist_net.learning.recipe import Hyperparameters as Hyperparameters
    from mnist_net.pictures.decoding import open_image as open_image
    from mnist_net.reading.answers import Page as Page
    from mnist_net.reading.answers import Reading as Reading
    from mnist_net.reading.reader import Reader as Reader
    from mnist_net.reading.shortcuts import read_digit as read_digit
    from mnist_net.reading.shortcuts import read_digits as read_digits
    from mnist_net.reading.shortcuts import read_image as read_image
    from mnist_net.reports.figures import evaluate as evaluate
    from mnist_net.runs.together import train_committee as train_committee
    from mnist_net.runs.together import train_model as train_model
    from mnist_net.trained.committee import Committee as Committee
    from mnist_net.trained.model import Model as Model
    from mnist_net.trained.store import load_detector as load_detector
    from mnist_net.trained.store import load_model as load_model
    from mnist_net.trained.store import save_model as save_model

_HOMES = {
    "learning.distortion": ("DISTORTIONS", "Distortion"),
    "trained.committee": ("Committee",),
    "datasets.dataset": ("Dataset", "Splits"),
    "datasets.loading": ("load_dataset",),
    "datasets.mnist": ("load_mnist",),
    "errors": ("DataError", "DivergenceError", "ImageError", "MnistNetError", "ModelFileError"),
    "estimator": ("DigitClassifier",),
    "learning.gradcheck": ("check_system",),
    "pictures.decoding": ("open_image",),
    "trained.model": ("Model",),
    "trained.store": ("load_detector", "load_model", "save_model"),
    "reading.answers": ("Page", "Reading"),
    "reading.reader": ("Reader",),
    "reading.shortcuts": ("read_digit", "read_digits", "read_image"),
    "reports.figures": ("evaluate",),
    "runs.together": ("train_committee", "train_model"),
    "learning.recipe": ("PRESETS", "Hyperparameters"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]  # noqa: PLE0604  (names only, as the dict shows)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # itself a quarter of a quick start

        return version("mnist-net")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'mnist_net' has no attribute {name!r}")
    return getattr(import_module(f"mnist_net.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
