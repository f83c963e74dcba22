"""What ships beside the network that reads: for no digits, signs, what touches, and textures."""

from pathlib import Path

from mnist_net.errors import ModelFileError
from mnist_net.trained import store
from mnist_net.trained.committee import Predictor
from mnist_net.trained.store import load_cached

_COMPANIONS = {
    "detector": "tells digits from other things, not from each other",
    "signs": "tells signs from digits at their places on a page",
    "pairs": "reads two digits that touch",
    "textures": "tells what is written on a photograph from all else",
}


def check_is_no_companion(model: Predictor, name: str = "this model") -> None:
    """Refuse one of them where a network is wanted that tells digits apart.

    Raises
    ------
    ModelFileError
        With the name, and what that network does.
    """
    if told := _COMPANIONS.get(str(model.metadata.get("kind"))):
        raise ModelFileError(f"{name} {told}: name another model")


def find_detector() -> Path | None:
    """Network that ships to tell digits from other things; None if this copy has none."""
    return _beside_shipped("detector.joblib")


def load_detector(path: Path | None = None) -> Predictor | None:
    """The network that tells digits from other things, by default the one that ships.

    Its class 0 is other things; all others are digits.

    Raises
    ------
    ModelFileError
        If the file holds something else.
    """
    path = path or find_detector()
    if path is None:
        return None
    detector = load_cached(path)
    if detector.metadata.get("kind") != "detector" and detector.classes.tolist() != [0, 1]:
        raise ModelFileError(f"{path} is not the network that tells digits from other things")
    return detector


def load_signs(path: Path | None = None) -> Predictor:
    """The networks that tell digits and signs apart at their places in a row.

    Raises
    ------
    ModelFileError
        If there is none, or the file holds something else.
    """
    signs = _companion(path, "signs", "tells signs apart")
    if signs is None:
        raise ModelFileError("this copy has no models/signs.joblib, which pages are read with")
    return signs


def load_pairs(path: Path | None = None) -> Predictor | None:
    """The network that reads two digits that touch, by default the one that ships, if it does.

    Its class 0 is what is not two; of two digits it is one more than the number that they make.

    Raises
    ------
    ModelFileError
        If the file holds something else.
    """
    return _companion(path, "pairs", "reads two digits that touch")


def load_textures(path: Path | None = None) -> Predictor | None:
    """The network that tells what is written on a photograph from folds, edges, and cloth.

    Its class 1 is what is written.  By default the one that ships, if it does.

    Raises
    ------
    ModelFileError
        If the file holds something else.
    """
    return _companion(path, "textures", "tells writing from textures")


def _companion(path: Path | None, kind: str, does: str) -> Predictor | None:
    path = path or _beside_shipped(f"{kind}.joblib")
    if path is None:
        return None
    network = load_cached(path)
    if network.metadata.get("kind") != kind:
        raise ModelFileError(f"{path} is not the network that {does}")
    return network


def _beside_shipped(name: str) -> Path | None:
    places = [path.with_name(name) for path in store.SHIPPED_MODELS]
    return next((path for path in places if path.exists()), None)
