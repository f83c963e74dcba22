"""PyTorch's networks: eager and compiled, in the fastest of the usual ways to write the loop."""

import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.network import initialize
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Batch, classifier, learning_rate_at
from scripts.speed.problems import Labels, Problem
from scripts.speed.trainers import Trainer

Weights = list[tuple[Array, Array]]
Predict = Callable[[Array], Array]

_TRIALS, _TRIAL_STEPS = 3, 48


class Variant(NamedTuple):
    """One of the ways to write the loop.

    Attributes
    ----------
    optimizer
        How the update is done: ``fused``, ``foreach``, or ``plain``.
    gather
        How shuffled rows are put side by side: for each batch by ``index`` or ``index_select``, or
        by the latter once an ``epoch``.
    """

    optimizer: str
    gather: str


_OPTIMIZERS, _GATHERS = ("fused", "foreach", "plain"), ("index", "index_select", "epoch")
VARIANTS = tuple(Variant(*choice) for choice in itertools.product(_OPTIMIZERS, _GATHERS))


def _network(sizes: tuple[int, ...], recipe: Hyperparameters) -> Any:
    """Layers and activations; the weights are those that ours would start from."""
    import torch

    hidden = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
    layers: list[Any] = []
    for n_inputs, n_outputs in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(n_inputs, n_outputs), hidden[recipe.activation]()]
    network = torch.nn.Sequential(*layers[:-1])
    start = initialize(
        classifier(sizes[0], sizes[-1], recipe), np.random.default_rng(recipe.random_state)
    )
    _give(network, [(weights, biases) for weights, biases in start if biases is not None])
    return network


def _give(network: Any, parameters: Weights) -> None:
    import torch

    with torch.no_grad():
        for layer, (W, b) in zip(list(network)[::2], parameters, strict=True):
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
            layer.bias.copy_(torch.from_numpy(b))


def _optimizer(parameters: Any, recipe: Hyperparameters, how: str) -> Any:
    import torch

    flags = {"fused": how == "fused", "foreach": how == "foreach"}
    adam = recipe.optimizer == "adamw"
    if recipe.l2_penalty if adam else recipe.weight_decay:
        raise ValueError("of penalty and decay PyTorch's SGD has the one, and its AdamW the other")
    # The derivative of λ ‖W‖² is 2 λ W.  Only weights decay; without decay one group is faster.
    decay, parameters = recipe.weight_decay if adam else 2.0 * recipe.l2_penalty, list(parameters)
    groups: Any = parameters
    if decay:
        biases = [one for one in parameters if one.ndim == 1]
        weights = [one for one in parameters if one.ndim > 1]
        groups = [{"params": weights, "weight_decay": decay}, {"params": biases}]
    if adam:
        return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.0, **flags)
    return torch.optim.SGD(
        groups,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.optimizer == "nesterov",
        **flags,
    )


class _Loop:
    """A network, its optimizer, and the data as tensors."""

    def __init__(self, data: Batch, recipe: Hyperparameters, variant: Variant, compiled: bool):
        import torch

        self.recipe, self.variant, self.step = recipe, variant, 0
        torch.manual_seed(recipe.random_state)  # of the order
        self.X = torch.from_numpy(data.X)
        self.labels = torch.from_numpy(data.targets.argmax(axis=1))
        sizes = (data.X.shape[1], *recipe.hidden_layer_sizes, data.targets.shape[1])
        self.network = _network(sizes, recipe)
        self.optimizer = _optimizer(self.network.parameters(), recipe, variant.optimizer)
        criterion = torch.nn.CrossEntropyLoss()

        def loss(X: Any, labels: Any) -> Any:
            return criterion(self.network(X), labels)

        self.loss = torch.compile(loss, dynamic=False) if compiled else loss

    def learn(self, X: Any, labels: Any) -> None:
        """One step; neither is its loss added up, nor looked at: that costs time too."""
        if self.recipe.schedule != "constant" or self.recipe.warmup_epochs:
            steps = -(-len(self.X) // self.recipe.batch_size)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate_at(self.step, steps, self.recipe)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(X, labels).backward()
        self.optimizer.step()
        self.step += 1

    def epoch(self, steps: int | None = None) -> None:
        import torch

        size, n_rows = self.recipe.batch_size, len(self.X)
        order = torch.randperm(n_rows)[: None if steps is None else steps * size]
        if self.variant.gather == "epoch":
            X, labels = self.X.index_select(0, order), self.labels[order]
            for begin in range(0, len(order), size):
                self.learn(X[begin : begin + size], labels[begin : begin + size])
        else:
            select = self.variant.gather == "index_select"
            for rows in order.split(size):
                X = self.X.index_select(0, rows) if select else self.X[rows]
                self.learn(X, self.labels[rows])

    def classify(self, X: Array) -> Labels:
        import torch

        with torch.inference_mode():
            found: Labels = self.network(torch.from_numpy(X)).argmax(1).numpy()
        return found


def _seconds(loop: _Loop) -> float:
    loop.epoch(2)
    found = []
    for _ in range(_TRIALS):
        began = time.perf_counter()
        loop.epoch(_TRIAL_STEPS)
        found.append(time.perf_counter() - began)
    return min(found)


def _trainer(data: Batch, problem: Problem, *, compiled: bool) -> Trainer:
    import torch

    torch.set_num_threads(problem.threads)
    torch.set_flush_denormal(True)
    recipe = problem.recipe
    found = {one: _seconds(_Loop(data, recipe, one, compiled=False)) for one in VARIANTS}
    variant = min(found, key=lambda one: found[one])
    loop = _Loop(data, recipe, variant, compiled)
    return Trainer(loop.epoch, loop.classify, variant._asdict())


def eager(data: Batch, problem: Problem) -> Trainer:
    """As PyTorch comes."""
    return _trainer(data, problem, compiled=False)


def compiled(data: Batch, problem: Problem) -> Trainer:
    """The forward pass, the loss and their gradients by `torch.compile`."""
    return _trainer(data, problem, compiled=True)


def predictor(weights: Weights, activation: str, threads: int) -> Predict:
    """Probabilities by a network with these weights."""
    import torch

    torch.set_num_threads(threads)
    sizes = (len(weights[0][0]), *(len(biases) for _, biases in weights))
    hidden = sizes[1:-1]
    network = _network(sizes, Hyperparameters(hidden_layer_sizes=hidden, activation=activation))
    _give(network, weights)
    network.append(torch.nn.Softmax(dim=1)).eval()

    def predict(X: Array) -> Array:
        with torch.inference_mode():
            probabilities: Array = network(torch.from_numpy(X)).numpy()
        return probabilities

    return predict
