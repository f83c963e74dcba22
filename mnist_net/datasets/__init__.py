"""Labelled pictures: where they come from, and what proves that they are what they claim to be."""
