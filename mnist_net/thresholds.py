"""From which score on something is a digit; both were chosen by `scripts/benchmark_foreign.py`.

In a module of their own, so that a command's help can name them without loading a network.
"""

__all__ = ["REJECT_BELOW", "REJECT_BELOW_ON_PAGES"]

REJECT_BELOW = 0.15
"""A picture's only figure that scores less is no digit."""
REJECT_BELOW_ON_PAGES = 0.05
"""Nor is a figure among others on a page, where most are digits."""
