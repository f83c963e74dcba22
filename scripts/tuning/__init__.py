"""Whether a search for hyperparameters finds more than others do in the same time."""
