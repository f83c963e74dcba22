"""From which score on something is a digit.

In a module of its own, so that a command's help can name it without loading a network.
"""

REJECT_BELOW = 0.3
"""What scores less is no digit.  It refuses less than 1 % of the digits in `results/foreign.json`;
what any other costs is there too."""
