"""The mathematics: a network as pure functions on plain data, its gradients, and how it learns.

NumPy and nothing else.  The numbers at the ends of lines are the equations of `docs/derivation.md`.
"""
