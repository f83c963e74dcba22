"""What the networks say of views of a picture, and which view is the best.

A view's score is the product of two probabilities: of its likeliest class, and that it is a digit
at all.
"""

from collections.abc import Iterable, Sequence
from itertools import starmap

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array, Bytes
from mnist_net.pictures.looks import View
from mnist_net.reading.answers import Judgement
from mnist_net.reading.networks import Networks

SURE = 0.92
"""Score, from which on no further look is taken."""

_ODDS_PREPARED = 3.0  # what was fitted or cropped for a reader is likelier a digit than the rest

Judged = tuple[View, Judgement]


class Judge:
    """Judges views by the networks."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def views(self, views: Sequence[View]) -> list[Judgement]:
        """What the networks say of each view, all read at once."""
        if not views:
            return []
        # What came in MNIST's form is what the first network knows best.
        ready = np.array([view.ready for view in views])
        images, odds = np.stack([view.image for view in views]), [_odds(view) for view in views]
        probabilities, scores = self._score(images, odds, ready)
        return list(map(Judgement, probabilities, scores.tolist()))

    def variants(self, judged: Sequence[Judged]) -> list[Judged]:
        """The same views, each with the mean judgement over it and its variants."""
        further = [(k, image) for k, (view, _) in enumerate(judged) for image in view.variants()]
        if not further:
            return list(judged)
        places = [k for k, _ in further]
        odds = [_odds(judged[k][0]) for k in places]
        probabilities, scores = self._score(np.stack([image for _, image in further]), odds)
        views, first = zip(*judged, strict=True)
        means = mean_with(np.stack([one.probabilities for one in first]), places, probabilities)
        mean_scores = mean_with(np.array([one.score for one in first]), places, scores)
        together = zip(means, mean_scores.tolist(), strict=True)
        return list(zip(views, starmap(Judgement, together), strict=True))

    def _score(
        self, images: Bytes, odds: Sequence[float], ready: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Array, Array]:
        """Probabilities of the classes, N × K, and scores, N: with these odds, by Bayes' rule."""
        probabilities, is_digit = self._networks.say(images, ready)
        score = probabilities.max(axis=1) * is_digit
        weights = np.array(odds, score.dtype)
        return probabilities, score * weights / (1.0 + (weights - 1.0) * score)


def _odds(view: View) -> float:
    """How much likelier it is a digit than what came as most pictures do."""
    return _ODDS_PREPARED if view.prepared else 1.0


def mean_with(first: Array, places: Sequence[int], further: Array) -> Array:
    """Of each of the first the mean with all that was found further at its place."""
    total, n = first.copy(), np.ones(len(first), first.dtype)
    np.add.at(total, places, further)
    np.add.at(n, places, 1.0)
    result: Array = (total.T / n).T
    return result


def best_view(judged: Iterable[Judged]) -> Judged | None:
    """The view that is read with most confidence, if there is one."""
    return max(judged, key=lambda pair: pair[0].prior * pair[1].score, default=None)


def is_sure(best: Judged | None) -> bool:
    """Whether the best view, if there is one, is beyond doubt."""
    return best is not None and best[1].score >= SURE
