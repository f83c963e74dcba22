"""Whether two classifiers that answered the same questions differ by more than chance.

The answers that both get right, or both wrong, say nothing of that.  Of the others, if neither were
better, each would be as likely to be right only in the one as only in the other: a fair coin
(McNemar, *Note on the sampling error of the difference between correlated proportions*, 1947).
"""

from typing import NamedTuple

from mnist_net.reports.figures import Hits


class Comparison(NamedTuple):
    """Two classifiers on the same pictures.

    Attributes
    ----------
    both, neither
        How many pictures both get right, and both wrong.
    only_first, only_second
        How many only one of them gets right.
    p_value
        Of McNemar's exact test, two-sided: how probable it is that a fair coin falls at least as
        unevenly as the last two.
    """

    both: int
    neither: int
    only_first: int
    only_second: int
    p_value: float


def compare(first: Hits, second: Hits) -> Comparison:
    """Compare two classifiers.

    Parameters
    ----------
    first, second
        N, whether each answer is right; in the same order of pictures.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    differ = only_first + only_second
    return Comparison(
        both=int((first & second).sum()),
        neither=int((~first & ~second).sum()),
        only_first=only_first,
        only_second=only_second,
        p_value=float(binomtest(only_first, differ).pvalue) if differ else 1.0,
    )
