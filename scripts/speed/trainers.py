"""The competitors that train: ours and scikit-learn's; `torch_peer` has PyTorch's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.network import forward
from mnist_net.learning.training import Batch, Progress, classifier, train
from mnist_net.runs.together import blas_threads
from scripts.speed.problems import Labels, Problem
from scripts.speed.workers import Trial


class Trainer(NamedTuple):
    """A network that learns.

    Attributes
    ----------
    epoch
        Goes through the data once.
    classify
        Inputs to indices of classes.
    facts
        The variant, where there was a choice.
    """

    epoch: Callable[[], object]
    classify: Callable[[Array], Labels]
    facts: dict[str, Any]

    def trial(self) -> Trial:
        """Its epochs, one a unit."""

        def run() -> None:
            self.epoch()

        return Trial(run, self.facts)


TrainerMaker = Callable[[Batch, Problem], Trainer]


def ours(data: Batch, problem: Problem) -> Trainer:
    """The public function, with its finite checks, history and progress."""
    recipe = problem.recipe
    epochs = train(data, recipe)
    latest: list[Progress] = []

    def epoch() -> None:
        latest[:] = [next(epochs)]

    def classify(X: Array) -> Labels:
        architecture = classifier(X.shape[1], data.targets.shape[1], recipe)
        parameters = latest[0].latest.parameters
        return forward(parameters, architecture.activations, X)[-1].argmax(axis=1)

    return Trainer(epoch, classify, {})


def ours_own_threads(data: Batch, problem: Problem) -> Trainer:
    """The same with as many threads as `train_model` and the command line give it."""
    blas_threads(problem.recipe).__enter__()  # until the process ends
    return ours(data, problem)


def ours_all_pixels(data: Batch, problem: Problem) -> Trainer:
    """Ours on the inputs that the others are given: those that are black everywhere too."""
    return ours(data, problem)


def scikit_learn(data: Batch, problem: Problem) -> Trainer:
    """`MLPClassifier`, an epoch at a time, spared its checks of arguments and of the data."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    recipe = problem.recipe
    if recipe.weight_decay or recipe.warmup_epochs or recipe.schedule != "constant":
        raise ValueError("MLPClassifier has neither weight decay nor schedules like ours")
    labels = data.targets.argmax(axis=1)
    network = MLPClassifier(
        recipe.hidden_layer_sizes,
        activation="logistic" if recipe.activation == "sigmoid" else recipe.activation,
        solver="adam" if recipe.optimizer == "adamw" else "sgd",
        alpha=2.0 * recipe.l2_penalty * recipe.batch_size,  # it divides by the batch
        batch_size=min(recipe.batch_size, len(data.X)),
        learning_rate_init=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterovs_momentum=recipe.optimizer == "nesterov",
        shuffle=recipe.shuffle,
        tol=0.0,
        n_iter_no_change=1_000_000,
        # A seed would be taken anew by each call, and all epochs would have the same order.
        random_state=np.random.RandomState(recipe.random_state),
    )
    classes = np.arange(data.targets.shape[1])
    return Trainer(
        lambda: network.partial_fit(data.X, labels, classes=classes), network.predict, {}
    )


def training(make: TrainerMaker, problem: Problem) -> Trial:
    """A competitor's epochs, on the data of the problem."""
    return make(training_data(make, problem), problem).trial()


def is_ours(make: TrainerMaker) -> bool:
    """Whether it may leave out the pixels that `prepare` leaves out; others get them all."""
    return make in (ours, ours_own_threads)


def training_data(make: TrainerMaker, problem: Problem) -> Batch:
    """What a competitor is given."""
    return problem.load()[0].training if is_ours(make) else problem.training_set()
