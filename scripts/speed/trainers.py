"""The competitors that train: ours, scikit-learn's and PyTorch's."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_net.arrays import Array
from mnist_net.learning.network import forward
from mnist_net.learning.training import Batch, Progress, classifier, train
from mnist_net.runs.together import blas_threads
from scripts.speed.problems import Labels, Problem, Settings, Trainer
from scripts.speed.products import training_floor
from scripts.speed.workers import Entry, Trial, quiet

TrainerMaker = Callable[[Batch, Problem], Trainer]


def ours(data: Batch, problem: Problem) -> Trainer:
    """The public function, with its finite checks, history and progress."""
    epochs = train(data, problem.recipe)
    latest: list[Progress] = []

    def epoch() -> None:
        latest[:] = [next(epochs)]

    def classify(X: Array) -> Labels:
        architecture = classifier(X.shape[1], data.targets.shape[1], problem.recipe)
        parameters = latest[0].latest.parameters
        return forward(parameters, architecture.activations, X)[-1].argmax(axis=1)

    return Trainer(epoch, classify)


def ours_own_threads(data: Batch, problem: Problem) -> Trainer:
    """The same with as many threads as `train_model` and the command line give it."""
    blas_threads(problem.recipe).__enter__()  # until the process ends
    return ours(data, problem)


def scikit_learn(data: Batch, problem: Problem) -> Trainer:
    """`MLPClassifier`, an epoch at a time, spared its checks of arguments and of the data."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    recipe = problem.recipe
    if recipe.weight_decay or recipe.warmup_epochs or recipe.schedule != "constant":
        raise ValueError("MLPClassifier has neither weight decay nor schedules like ours")
    labels, classes = data.targets.argmax(axis=1), np.arange(data.targets.shape[1])
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
    return Trainer(lambda: network.partial_fit(data.X, labels, classes=classes), network.predict)


def torch(data: Batch, problem: Problem) -> Trainer:
    """PyTorch as it comes."""
    from scripts.speed import torch_peer

    return torch_peer.trainer(data, problem, compiled=False)


def torch_compile(data: Batch, problem: Problem) -> Trainer:
    """PyTorch with `torch.compile`."""
    from scripts.speed import torch_peer

    return torch_peer.trainer(data, problem, compiled=True)


class Kind(NamedTuple):
    """How a competitor is made, which libraries it needs, and whether it takes all pixels."""

    make: TrainerMaker
    libraries: tuple[str, ...] = ()
    all_pixels: bool = True

    def data(self, problem: Problem) -> Batch:
        """What it is given: ours may leave out the pixels that `prepare` leaves out."""
        return problem.training_set() if self.all_pixels else problem.load()[0].training


TRAINERS = {
    "ours": Kind(ours, all_pixels=False),
    "ours, all pixels": Kind(ours),
    "ours, own threads": Kind(ours_own_threads, all_pixels=False),
    "MLPClassifier": Kind(scikit_learn, ("sklearn",)),
    "torch": Kind(torch, ("torch",)),
    "torch.compile": Kind(torch_compile, ("torch",)),
}


def training(kind: Kind, problem: Problem) -> Trial:
    """A competitor's epochs, one a unit, on the data of the problem."""
    trainer = kind.make(kind.data(problem), problem)
    return quiet(trainer.epoch)._replace(facts=trainer.facts)


def entries(problem: Problem, settings: Settings) -> dict[str, Entry]:
    """The floor, and all that can do this problem."""
    made = {
        name: Entry(training, (kind, problem))
        for name, kind in TRAINERS.items()
        if settings.has(*kind.libraries)
    }
    return {"products": Entry(training_floor, (problem,)), **made}
