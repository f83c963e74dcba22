"""From which score on something is a digit.

In a module of its own, so that a command's help can name it without loading a network.
"""

__all__ = ["REJECT_BELOW"]

REJECT_BELOW = 0.15
"""What scores less is no digit; `results/foreign.json` has what another choice costs."""
