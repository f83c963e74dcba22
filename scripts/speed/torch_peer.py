"""PyTorch's networks: eager and compiled, in the fastest of the usual ways to write the loop."""

import itertools
import timeit
from typing import Any

import numpy as np
import torch

from mnist_net.arrays import Array
from mnist_net.learning.minibatches import Batch
from mnist_net.learning.network import initialize
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import classifier, learning_rate_at
from scripts.speed.problems import Labels, Predict, Problem, Trainer, Weights

# How the update is done; and how shuffled rows are put side by side, batch by batch or once.
_UPDATES, _GATHERS = ("fused", "foreach", "plain"), ("index", "index_select", "epoch")
_TRIALS, _TRIAL_STEPS = 3, 48
_ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def _network(weights: Weights, activation: str) -> Any:
    """Layers with these weights, and activations between them."""
    layers: list[Any] = []
    with torch.no_grad():
        for W, b in weights:
            layers += [torch.nn.Linear(*W.shape), _ACTIVATIONS[activation]()]
            layers[-2].weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
            layers[-2].bias.copy_(torch.from_numpy(b))
    return torch.nn.Sequential(*layers[:-1])


def _optimizer(network: Any, recipe: Hyperparameters, how: str) -> Any:
    parameters: list[Any] = list(network.parameters())
    options = {"lr": recipe.learning_rate, "fused": how == "fused", "foreach": how == "foreach"}
    adam = recipe.optimizer == "adamw"
    if recipe.l2_penalty if adam else recipe.weight_decay:
        raise ValueError("of penalty and decay PyTorch's SGD has the one, and its AdamW the other")
    # The derivative of λ ‖W‖² is 2 λ W.  Only weights decay; without decay one group is faster.
    if decay := recipe.weight_decay if adam else 2.0 * recipe.l2_penalty:
        biases = {"params": [one for one in parameters if one.ndim == 1]}
        weights = {"params": [one for one in parameters if one.ndim > 1], "weight_decay": decay}
        parameters = [weights, biases]
    if adam:
        return torch.optim.AdamW(parameters, weight_decay=0.0, **options)
    options |= {"momentum": recipe.momentum, "nesterov": recipe.optimizer == "nesterov"}
    return torch.optim.SGD(parameters, **options)


class _Loop:
    """A network, its optimizer, and the data as tensors."""

    def __init__(self, data: Batch, recipe: Hyperparameters, how: str, gather: str, compiled: bool):
        self.recipe, self.gather, self.step = recipe, gather, 0
        torch.manual_seed(recipe.random_state)  # of the order
        self.X = torch.from_numpy(data.X)
        self.labels = torch.from_numpy(data.targets.argmax(axis=1))
        ours = classifier(data.X.shape[1], data.targets.shape[1], recipe)
        start = initialize(ours, np.random.default_rng(recipe.random_state))
        self.network = _network([(W, b) for W, b in start if b is not None], recipe.activation)
        self.optimizer = _optimizer(self.network, recipe, how)

        def loss(X: Any, labels: Any) -> Any:
            return torch.nn.functional.cross_entropy(self.network(X), labels)

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
        size, n_rows = self.recipe.batch_size, len(self.X)
        order = torch.randperm(n_rows)[: None if steps is None else steps * size]
        if self.gather == "epoch":
            X, labels = self.X.index_select(0, order), self.labels[order]
            for begin in range(0, len(order), size):
                self.learn(X[begin : begin + size], labels[begin : begin + size])
        else:
            select = self.gather == "index_select"
            for rows in order.split(size):
                X = self.X.index_select(0, rows) if select else self.X[rows]
                self.learn(X, self.labels[rows])

    def classify(self, X: Array) -> Labels:
        with torch.inference_mode():
            return np.asarray(self.network(torch.from_numpy(X)).argmax(1))


def trainer(data: Batch, problem: Problem, *, compiled: bool) -> Trainer:
    """As PyTorch comes, or with forward pass, loss and their gradients by `torch.compile`."""
    torch.set_num_threads(problem.threads)
    torch.set_flush_denormal(True)
    recipe = problem.recipe

    def seconds(variant: tuple[str, str]) -> float:
        loop = _Loop(data, recipe, *variant, compiled=False)
        loop.epoch(2)
        return min(timeit.repeat(lambda: loop.epoch(_TRIAL_STEPS), repeat=_TRIALS, number=1))

    variant = min(itertools.product(_UPDATES, _GATHERS), key=seconds)
    loop = _Loop(data, recipe, *variant, compiled)
    return Trainer(loop.epoch, loop.classify, {"variant": ", ".join(variant)})


def predictor(weights: Weights, activation: str, threads: int) -> Predict:
    """Probabilities by a network with these weights."""
    torch.set_num_threads(threads)
    network = _network(weights, activation)
    network.append(torch.nn.Softmax(dim=1)).eval()

    def predict(X: Array) -> Array:
        with torch.inference_mode():
            probabilities: Array = network(torch.from_numpy(X)).numpy()
        return probabilities

    return predict
