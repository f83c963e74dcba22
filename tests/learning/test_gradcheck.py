"""The derived gradients against central differences, and the check itself against planted bugs."""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mnist_net.learning.gradcheck import SYSTEMS, THRESHOLD, System, check_system, relative_error
from mnist_net.learning.losses import LOSSES
from tests.conftest import ROOT, Run


@pytest.mark.parametrize("random_state", [0, 1, 2])
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_derived_gradients_agree_with_numerical_ones(system: System, random_state: int) -> None:
    checks = list(check_system(system, random_state))
    layers = len(system.architecture.activations)
    n_biases = sum(system.architecture.layer_biases)
    assert len(checks) == layers + n_biases + 1  # every weight matrix, bias vector, and the input
    assert all(check.error <= THRESHOLD for check in checks), checks


def test_the_six_systems_of_the_derivation_are_checked() -> None:
    described = {
        (s.architecture.activations, s.architecture.loss, s.architecture.biases) for s in SYSTEMS
    }
    for activations, loss, biases in (
        (("sigmoid", "identity"), "softmax-cross-entropy", True),
        (("relu", "identity"), "mean-squared-error", True),
        (("relu", "identity"), "binary-cross-entropy", (False, True)),
        (("tanh", "identity"), "binary-cross-entropy", True),
        (("identity",), "mean-squared-error", True),
        (("tanh",), "mean-squared-error", True),
        (("sigmoid",), "mean-squared-error", True),
        (("relu",), "mean-squared-error", True),
    ):
        assert (activations, loss, biases) in described
    assert {s.architecture.loss for s in SYSTEMS if len(s.architecture.activations) > 2} == {
        "softmax-cross-entropy",
        "binary-cross-entropy",
        "mean-squared-error",
    }
    assert {s.architecture.loss for s in SYSTEMS if s.weighted} == LOSSES.keys()
    assert SYSTEMS[-1].architecture.layer_sizes == (784, 300, 10)


def test_relative_error_by_hand() -> None:
    assert relative_error(np.array([3.0, 4.0]), np.array([3.0, 4.0])) == 0.0
    assert relative_error(np.array([3.0, 4.0]), np.array([-3.0, -4.0])) == 1.0
    assert relative_error(np.array([2.0]), np.array([1.0])) == pytest.approx(1 / 3)
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0


class Bug(NamedTuple):
    """A mistake of a usual kind: in this module, this code instead of that."""

    name: str
    module: str
    right: str
    wrong: str


BUGS = [
    Bug(
        "softmax without its 1/N",
        "losses",
        "(np.exp(log_probabilities) - targets) / len(logits)",
        "np.exp(log_probabilities) - targets",
    ),
    Bug(
        "binary cross-entropy without its 1/N",
        "losses",
        "(sigmoid(logits) - targets) / len(logits)",
        "sigmoid(logits) - targets",
    ),
    Bug(
        "the squared error's 2 forgotten",
        "losses",
        "(2.0 / len(outputs)) * difference",
        "(1.0 / len(outputs)) * difference",
    ),
    Bug(
        "the squared error's derivative summed over the wrong number",
        "losses",
        "(2.0 / len(outputs)) * difference",
        "(2.0 / outputs.size) * difference",
    ),
    Bug(
        "a product not transposed, where the matrix is square and nothing crashes",
        "network",
        "error = delta.reshape(-1, layer.weights.shape[1]) @ layer.weights.T",
        "W = layer.weights\n"
        "    error = delta.reshape(-1, W.shape[1]) @ (W if W.shape[0] == W.shape[1] else W.T)",
    ),
    *(
        Bug(
            f"a loss with weights, its derivative without: {right}", "losses", f"w * {right}", right
        )
        for right in (
            "(np.exp(log_probabilities) - targets)",
            "(sigmoid(logits) - targets)",
            "(2.0 / len(outputs))",
        )
    ),
    Bug("a bias averaged instead of summed", "network", "rows.sum(axis=0)", "rows.mean(axis=0)"),
    Bug(
        "the penalty's 2 forgotten",
        "network",
        "2.0 * l2_penalty * weights",
        "l2_penalty * weights",
    ),
    Bug(
        "the penalty missing from the loss",
        "network",
        "    return loss + _penalty(parameters, l2_penalty)  # (4)\n\n\ndef _loss_and_deltas",
        "    return loss\n\n\ndef _loss_and_deltas",
    ),
    Bug("the sigmoid's derivative", "activations", "a * (1.0 - a)", "a * (1.0 + a)"),
    Bug("the tanh's derivative", "activations", "1.0 - a * a", "1.0 - a"),
    Bug("the ReLU's derivative at rest", "activations", "(a > 0.0)", "(a >= 0.0)"),
    Bug(
        "the derivative of the next layer's activation",
        "network",
        "derivatives[level - 1](A[level])",
        "derivatives[level](A[level])",
    ),
    Bug(
        "the output's derivative left out",
        "network",
        "[derivative * derivatives[-1](A[-1])]",
        "[derivative]",
    ),
    Bug(
        "one gradient in a hundred thousand 1 % off",
        "network",
        "weights_gradient = _examples(inputs, looks_at).T @ rows",
        "weights_gradient = _examples(inputs, looks_at).T @ rows\n"
        "        if weights_gradient.size > 100_000:\n"
        "            weights_gradient.flat[123_456] *= 1.01",
    ),
    Bug(
        "the input's gradient of the wrong example",
        "network",
        "_error(deltas[0], parameters[0], architecture.layer_convolutions[0])",
        "_error(deltas[0][::-1], parameters[0], architecture.layer_convolutions[0])",
    ),
    Bug(
        "shared weights: of the squares that a pixel lies in, the last alone counts",
        "convolution",
        "+= apart[:, :, :, i, j]",
        "= apart[:, :, :, i, j]",
    ),
    Bug(
        "shared weights: what lies beyond the border cut off at one side only",
        "convolution",
        "inside = slice(edge, edge + self.side)",
        "inside = slice(0, self.side)",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_gradcheck_catches(bug: Bug, tmp_path: Path, run: Run) -> None:
    package = shutil.copytree(ROOT / "mnist_net", tmp_path / "mnist_net")
    module = package / "learning" / f"{bug.module}.py"
    source = module.read_text(encoding="utf-8")
    assert source.count(bug.right) == 1, "the planted bug no longer fits the code"
    module.write_text(source.replace(bug.right, bug.wrong), encoding="utf-8")
    finished = run("gradcheck", cwd=tmp_path)  # the copy: the working directory comes first
    assert finished.returncode == 1
    assert "WRONG" in finished.stdout
    assert finished.stderr == ""


def test_gradcheck_passes(run: Run) -> None:
    finished = run("gradcheck")
    assert finished.returncode == 0, finished.stdout
    assert "WRONG" not in finished.stdout
