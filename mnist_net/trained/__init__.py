"""Trained networks, 28 × 28 in and probabilities out, and files of them that run no code."""
