"""What the networks say of views of a picture, and which view is the best.

A view's score is the product of two probabilities: of its likeliest class, and that it is a digit
at all.
"""

from collections.abc import Iterable, Sequence

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
        groups = [view.variants() for view, _ in judged]
        images = [image for group in groups for image in group]
        if not images:
            return list(judged)
        probabilities, scores = self._score(np.stack(images))
        means, end = [], 0
        for (view, first), group in zip(judged, groups, strict=True):
            begin, end = end, end + len(group)
            all_probabilities = np.stack([first.probabilities, *probabilities[begin:end]])
            score = float(np.mean([first.score, *scores[begin:end]]))
            means.append((view, Judgement(all_probabilities.mean(axis=0), score)))
        return means

    def _score(
        self, images: Bytes, ready: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Array, Array]:
        """Probabilities of the classes, N × K, and scores, N."""
        probabilities, is_digit = self._networks.say(images, ready)
        return probabilities, probabilities.max(axis=1) * is_digit


def _with_odds(score: float) -> float:
    """Score of what came in MNIST's form, by Bayes' rule."""
    return score * _ODDS_IN_FORM / (1.0 + (_ODDS_IN_FORM - 1.0) * score)


def best_view(judged: Iterable[Judged]) -> Judged | None:
    """The view that is read with most confidence, if there is one."""
    return max(judged, key=lambda pair: pair[0].prior * pair[1].score, default=None)


def is_sure(best: Judged | None) -> bool:
    """Whether the best view, if there is one, is beyond doubt."""
    return best is not None and best[1].score >= SURE
