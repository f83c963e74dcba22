"""A model: what pictures it takes."""

from pathlib import Path

import numpy as np
import pytest

from mnist_net.trained.store import load_model


def test_a_model_says_what_pictures_it_takes(digits_model: Path) -> None:
    model = load_model(digits_model)
    for wrong in (np.zeros((28, 28), np.uint8), np.zeros((1, 27, 28), np.uint8)):
        with pytest.raises(ValueError, match="N × 28 × 28 or N × 784"):
            model.predict(wrong)
    with pytest.raises(ValueError, match="must be uint8"):
        model.predict(np.zeros((1, 28, 28)))
    assert model.predict(np.zeros((0, 28, 28), np.uint8)).shape == (0,)
    flat = np.random.default_rng(0).integers(0, 256, (4001, 784)).astype(np.uint8)
    whole = model.predict_proba(flat)  # more than one chunk
    assert whole.shape == (4001, 10)
    np.testing.assert_allclose(whole.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(model.predict(flat), model.predict(flat.reshape(-1, 28, 28)))
