"""Handwritten digits, read by a neural network whose gradients are derived by hand.

Reading::

    read_digit       the one digit of a picture: a path, bytes, an image or an array
    read_digits      all digits of a picture, row by row
    read_table       the cells of a table that is drawn in lines
    read_image       what `read_digit` sees in a picture, 28 × 28
    open_image       decode a picture, upright
    Reader           reads with networks of your choice
    Reading          what was read at one place
    Page             what was read on a picture of several digits
    Table            what was read in the cells of a table

Models::

    load_model       a model file, executing nothing; by default the one that answers
    load_detector    the network that tells digits from other things
    save_model       write a model, atomically
    Model            a trained network: 28 × 28 in, probabilities out
    Committee        several that answer as one
    evaluate         figures of answers against labels

Training::

    train_model      train a model from start to end
    train_epochs     the same, epoch by epoch
    train_committee  train several that answer as one
    Hyperparameters  a recipe
    PRESETS          recipes by name; prints as a table
    Distortion       how training pictures are distorted
    DISTORTIONS      distortions by name
    DigitClassifier  the network as a scikit-learn classifier, for any features
    check_system     derived gradients against numerical ones

Data::

    load_dataset     a data set by name or path
    load_mnist       MNIST, from the first source that works
    Dataset          labelled pictures
    Splits           a data set in two: to learn from, and to be judged by

Errors::

    MnistNetError    the parent of all
    DataError        a data set is missing or broken
    ImageError       a picture cannot be read
    ModelFileError   a file is no model
    RecipeError      a file is no recipe
    DivergenceError  training left the finite numbers
    ClusterError     other machines are not there, or cannot do this

Each name is imported when it is first used, so that a program pays only for what it needs;
`__version__` is the version.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_net.datasets.dataset import Dataset as Dataset
    from mnist_net.datasets.dataset import Splits as Splits
    from mnist_net.datasets.loading import load_dataset as load_dataset
    from mnist_net.datasets.mnist import load_mnist as load_mnist
    from mnist_net.errors import ClusterError as ClusterError
    from mnist_net.errors import DataError as DataError
    from mnist_net.errors import DivergenceError as DivergenceError
    from mnist_net.errors import ImageError as ImageError
    from mnist_net.errors import MnistNetError as MnistNetError
    from mnist_net.errors import ModelFileError as ModelFileError
    from mnist_net.errors import RecipeError as RecipeError
    from mnist_net.estimator import DigitClassifier as DigitClassifier
    from mnist_net.learning.distortion import DISTORTIONS as DISTORTIONS
    from mnist_net.learning.distortion import Distortion as Distortion
    from mnist_net.learning.gradcheck import check_system as check_system
    from mnist_net.learning.presets import PRESETS as PRESETS
    from mnist_net.learning.recipe import Hyperparameters as Hyperparameters
    from mnist_net.pictures.decoding import open_image as open_image
    from mnist_net.reading.answers import Page as Page
    from mnist_net.reading.answers import Reading as Reading
    from mnist_net.reading.answers import Table as Table
    from mnist_net.reading.reader import Reader as Reader
    from mnist_net.reading.shortcuts import read_digit as read_digit
    from mnist_net.reading.shortcuts import read_digits as read_digits
    from mnist_net.reading.shortcuts import read_image as read_image
    from mnist_net.reading.shortcuts import read_table as read_table
    from mnist_net.reports.figures import evaluate as evaluate
    from mnist_net.runs.together import train_committee as train_committee
    from mnist_net.runs.together import train_epochs as train_epochs
    from mnist_net.runs.together import train_model as train_model
    from mnist_net.trained.committee import Committee as Committee
    from mnist_net.trained.companions import load_detector as load_detector
    from mnist_net.trained.model import Model as Model
    from mnist_net.trained.store import load_model as load_model
    from mnist_net.trained.store import save_model as save_model

_HOMES = {
    "learning.distortion": ("DISTORTIONS", "Distortion"),
    "trained.committee": ("Committee",),
    "datasets.dataset": ("Dataset", "Splits"),
    "datasets.loading": ("load_dataset",),
    "datasets.mnist": ("load_mnist",),
    "errors": (
        *("ClusterError", "DataError", "DivergenceError", "ImageError", "MnistNetError"),
        *("ModelFileError", "RecipeError"),
    ),
    "estimator": ("DigitClassifier",),
    "learning.gradcheck": ("check_system",),
    "pictures.decoding": ("open_image",),
    "trained.model": ("Model",),
    "trained.companions": ("load_detector",),
    "trained.store": ("load_model", "save_model"),
    "reading.answers": ("Page", "Reading", "Table"),
    "reading.reader": ("Reader",),
    "reading.shortcuts": ("read_digit", "read_digits", "read_image", "read_table"),
    "reports.figures": ("evaluate",),
    "runs.together": ("train_committee", "train_epochs", "train_model"),
    "learning.presets": ("PRESETS",),
    "learning.recipe": ("Hyperparameters",),
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
