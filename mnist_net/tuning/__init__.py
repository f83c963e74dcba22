"""Searching for hyperparameters: a space of recipes in, a study on disk, the best recipe out."""
