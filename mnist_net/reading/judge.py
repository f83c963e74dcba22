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

_ODDS_IN_FORM = 3.0  # what is in MNIST's form is likelier a digit than most pictures are

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
        probabilities, scores = self._score(np.stack([view.image for view in views]), ready)
        return [
            Judgement(p, _with_odds(float(score)) if view.ready else float(score))
            for view, p, score in zip(views, probabilities, scores, strict=True)
        ]

    def variants(self, judged: Sequence[Judged]) -> list[Judged]:
        """The same views, each with the mean judgement over it and its variants."""
        further = [(k, image) for k, (view, _) in enumerate(judged) for image in view.variants()]
        if not further:
            return list(judged)
        places = [k for k, _ in further]
        probabilities, scores = self._score(np.stack([image for _, image in further]))
        views, first = zip(*judged, strict=True)
        means = mean_with(np.stack([one.probabilities for one in first]), places, probabilities)
        mean_scores = mean_with(np.array([one.score for one in first]), places, scores)
        together = zip(means, mean_scores.tolist(), strict=True)
        return list(zip(views, starmap(Judgement, together), strict=True))

    def _score(
        self, images: Bytes, ready: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Array, Array]:
        """Probabilities of the classes, N × K, and scores, N."""
        probabilities, is_digit = self._networks.say(images, ready)
        return probabilities, probabilities.max(axis=1) * is_digit


def _with_odds(score: float) -> float:
    """Score of what came in MNIST's form, by Bayes' rule."""
    return score * _ODDS_IN_FORM / (1.0 + (_ODDS_IN_FORM - 1.0) * score)


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
