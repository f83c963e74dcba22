"""The two smallest networks that learn something: a neuron, and XOR."""

import numpy as np
import pytest

from mnist_net.learning.network import Architecture, forward
from scripts.docs.worked import NEURON_X, NEURON_Y, XOR_X, XOR_Y, learn_neuron, learn_xor


@pytest.mark.parametrize("batch_size", [len(NEURON_X), 2])
@pytest.mark.parametrize("seed", range(5))
def test_a_neuron_learns_the_first_feature(seed: int, batch_size: int) -> None:
    # All eight corners of the cube; 1 if the first feature is 1.
    assert sorted(map(tuple, NEURON_X.tolist())) == sorted(
        (a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)
    )
    assert (NEURON_Y[:, 0] == NEURON_X[:, 0]).all()
    steps = learn_neuron(batch_size, seed)
    architecture = Architecture((3, 1), ("sigmoid",), "mean-squared-error")
    outputs = forward(steps[-1].parameters, architecture, NEURON_X)[-1]
    assert np.abs(outputs - NEURON_Y).max() < 0.1
    assert steps[-1].loss < 0.005 < steps[0].loss
    first, *others = steps[-1].parameters[0].weights.ravel()
    assert first > 4.0 * max(map(abs, others))  # it is the first feature that decides


# From many starting points gradient descent gets stuck here, with units that are dead or do the
# same; the page of worked examples counts how often.  These start well.
@pytest.mark.parametrize("seed", [1, 2, 4, 6])
def test_a_2_3_1_network_learns_xor(seed: int) -> None:
    assert XOR_Y.ravel().tolist() == [a != b for a, b in XOR_X.tolist()]
    steps = learn_xor(seed)
    architecture = Architecture((2, 3, 1), ("relu", "identity"), "binary-cross-entropy")
    logits = forward(steps[-1].parameters, architecture, XOR_X)[-1]
    assert ((logits > 0.0) == XOR_Y).all()
    assert steps[-1].loss < 0.05
    assert steps[-1].parameters[0].biases is None
