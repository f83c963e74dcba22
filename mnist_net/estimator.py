"""The network as a scikit-learn classifier, for any features and any labels.

The mathematics, the loop and the defaults are `training`'s; here they only learn scikit-learn's
manners.  Features are scaled by one mean and one deviation over all of them, so that pixels from 0
to 255 train as well as pixels from 0 to 1.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Self

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from mnist_net.arrays import Array
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.minibatches import Batch, one_hot
from mnist_net.learning.network import Architecture, forward
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Progress, beginning, classifier, train

_DEFAULT = Hyperparameters()


@contextmanager
def _as_before_on_failure(estimator: object) -> Iterator[None]:
    """A fit that fails leaves what was fitted before, or nothing."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Multi-layer perceptron with gradients derived by hand.

    Parameters
    ----------
    hidden_layer_sizes, activation, loss, initialization, optimizer, learning_rate, momentum
        See `Hyperparameters`.
    weight_decay, l2_penalty, schedule, warmup_epochs, batch_size, epochs, shuffle, patience
        Likewise.
    validation_fraction : float
        Fraction of the training examples, drawn at random, to hold out; `patience` needs it.
    class_weight : dict, 'balanced' or None
        How often the examples of each class count: by label, or so that all classes count alike.
    warm_start : bool
        Whether `fit` goes on from the weights of the fit before it, with the recipe from its start.
    random_state : int, RandomState instance or None
        Seed of the weights and of the order.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    parameters_ : tuple of Layer
        The network's weights and biases, float32.
    coefs_, intercepts_ : list of ndarray
        The same weights, and biases, one a layer.
    history_ : tuple of dict
        See `training.Progress`.
    loss_curve_, validation_scores_, loss_ : list of float, list of float or None, float
        Its loss and, if some examples are held out, their accuracy, one an epoch; the last loss.
    n_iter_ : int
        Epochs made.
    n_features_in_ : int
        Number of features.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from mnist_net import DigitClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> network = DigitClassifier(random_state=0).fit(X[:1000], y[:1000])
    >>> network.score(X[1000:], y[1000:]) > 0.9
    True
    """

    _dtype: type[np.floating[Any]] = np.float32
    _network: tuple[Architecture, str]
    _doc_link_module = "mnist_net"
    _doc_link_template = "https://github.com/mnist-net/mnist-net/blob/main/docs/scikit-learn.md"

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = _DEFAULT.hidden_layer_sizes,
        *,
        activation: str = _DEFAULT.activation,
        loss: str = _DEFAULT.loss,
        initialization: str = _DEFAULT.initialization,
        optimizer: str = _DEFAULT.optimizer,
        learning_rate: float = _DEFAULT.learning_rate,
        momentum: float = _DEFAULT.momentum,
        weight_decay: float = _DEFAULT.weight_decay,
        l2_penalty: float = _DEFAULT.l2_penalty,
        schedule: str = _DEFAULT.schedule,
        warmup_epochs: float = _DEFAULT.warmup_epochs,
        batch_size: int = _DEFAULT.batch_size,
        epochs: int = _DEFAULT.epochs,
        shuffle: bool = _DEFAULT.shuffle,
        validation_fraction: float = 0.0,
        patience: int | None = _DEFAULT.patience,
        class_weight: Mapping[Any, float] | str | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        # As scikit-learn wants it: each under its own name, and looked at only when it is fitted.
        self.__dict__.update((name, value) for name, value in locals().items() if name != "self")

    def _hyperparameters(self, random_state: int, **changes: Any) -> Hyperparameters:
        names = (one.name for one in fields(Hyperparameters) if hasattr(self, one.name))
        own = {name: getattr(self, name) for name in names}
        own["hidden_layer_sizes"] = tuple(np.atleast_1d(self.hidden_layer_sizes).tolist())
        return Hyperparameters(**{**own, "random_state": random_state, **changes})

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from new random weights; with `warm_start` from those of the fit before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, finite.
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each example counts, not negative; relative to the others of its minibatch.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For input that no classifier can learn from, or a hyperparameter out of range.
        DivergenceError
            If the loss leaves the finite numbers; it is a ValueError too.
        """
        with _as_before_on_failure(self):
            goes_on = self.warm_start and hasattr(self, "parameters_")
            data = self._prepared(X, y, sample_weight, goes_on=goes_on)
            if not 0.0 <= (fraction := self.validation_fraction) < 1.0:
                raise ValueError(f"validation_fraction is {fraction}; it must be in [0, 1)")
            n_held_out = int(fraction * len(data.X))
            recipe = self._hyperparameters(self._seed, validation=n_held_out)
            validation = None
            if n_held_out:
                order = np.random.default_rng(self._seed).permutation(len(data.X))
                validation, data = data.take(order[:n_held_out]), data.take(order[n_held_out:])
            start = beginning(self.parameters_, recipe) if goes_on else None
            return self._learn(data, recipe, validation=validation, start=start)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Make one epoch over some examples, going on from the latest weights.

        The rate is constant and without warm-up, for the number of calls is not known; scaling and
        classes are settled by the first call.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,)
            All labels that will ever come; needed at the first call if `y` does not have them all.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a label that the first call did not announce.
        """
        if self.class_weight == "balanced":
            raise ValueError("partial_fit does not see all examples: give class_weight as a dict")
        with _as_before_on_failure(self):
            goes_on = hasattr(self, "parameters_")
            data = self._prepared(X, y, sample_weight, goes_on=goes_on, classes=classes)
            epochs = self.n_iter_ + 1 if goes_on else 1
            recipe = self._hyperparameters(
                self._seed, epochs=epochs, schedule="constant", warmup_epochs=0.0, patience=None
            )
            return self._learn(data, recipe, start=self._progress if goes_on else None)

    def _validated(self, *arrays: Any, **options: Any) -> Any:
        with config_context(array_api_dispatch=False):  # other libraries' arrays become NumPy's
            return validate_data(self, *arrays, dtype="numeric", **options)

    def _prepared(
        self, X: Any, y: Any, sample_weight: Any, *, goes_on: bool, classes: Any = None
    ) -> Batch:
        """What to learn from; the first call settles classes, scaling and seed."""
        X, y = self._validated(X, y, reset=not goes_on)
        check_classification_targets(y)
        labels = unique_labels(y if classes is None else classes)
        X, y, weight = self._weighted(X, y, sample_weight)
        if not goes_on:
            self._start(X, labels, weight)
        elif classes is not None and not np.array_equal(labels, self.classes_):
            raise ValueError(f"classes is not what it was at the first call: {self.classes_}")
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y has labels that are not among the classes: {sorted(unknown)}")
        targets = one_hot(np.searchsorted(self.classes_, y), len(self.classes_))
        return Batch(self._scaled(X).astype(self._dtype), targets, weight)

    def _weighted(self, X: Array, y: Any, sample_weight: Any) -> tuple[Array, Any, Array | None]:
        """The examples that count, and how often each does; None for once."""
        if sample_weight is None and self.class_weight is None:
            return X, y, None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X, y, weight = (array[weight > 0.0] for array in (X, y, weight))
        labels, label_of = np.unique(y, return_inverse=True)
        factors = compute_class_weight(self.class_weight, classes=labels, y=y, sample_weight=weight)
        if not (factors > 0.0).all():
            raise ValueError(
                "class_weight must be positive: a class that counts 0 is left out of y"
            )
        weight *= factors[label_of]
        weight = (weight / weight.max()).astype(self._dtype)
        return X, y, np.maximum(weight, np.finfo(self._dtype).tiny)

    def _start(self, X: Array, classes: Any, weight: Array | None) -> None:
        self._seed = int(check_random_state(self.random_state).randint(2**31))
        self.classes_ = classes
        # Relative to the largest number, so that no square overflows or vanishes.
        self._largest = float(np.abs(X).max()) or 1.0
        relative = X.astype(np.float64) / self._largest
        weights = None if weight is None else np.broadcast_to(weight[:, np.newaxis], X.shape)
        self._mean = float(np.average(relative, weights=weights))
        variance = np.average((relative - self._mean) ** 2, weights=weights)
        self._deviation = float(np.sqrt(variance)) or 1.0

    def _scaled(self, X: Array) -> Array:
        return (X.astype(np.float64) / self._largest - self._mean) / self._deviation

    def _learn(
        self, data: Batch, recipe: Hyperparameters, *, start: Progress | None, **options: Any
    ) -> Self:
        before = self._network if start else None
        architecture = classifier(self.n_features_in_, len(self.classes_), recipe)
        self._network = architecture, recipe.optimizer  # whatever `set_params` is told afterwards
        if before not in (None, self._network):
            raise ValueError(
                "partial_fit and warm_start want the layers, activation, loss and optimizer of the "
                "first call: set them back, or call fit with warm_start=False"
            )
        *_, self._progress = train(data, recipe, start=start, **options)
        self.parameters_ = self._progress.chosen(recipe).parameters
        self.history_, self.n_iter_ = self._progress.history, self._progress.latest.number
        self.loss_curve_ = [record["loss"] for record in self.history_]
        self.loss_ = self.loss_curve_[-1]
        scores = [record["validation_accuracy"] for record in self.history_]
        self.validation_scores_ = None if None in scores else scores
        self.coefs_, self.intercepts_ = map(list, zip(*self.parameters_, strict=True))
        return self

    def predict_proba(self, X: Any) -> Array:
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        architecture, _ = self._network
        # In float64, so that a row's answer does not depend on the rows beside it.
        with np.errstate(all="ignore"):  # the check below says it better
            outputs = forward(self.parameters_, architecture, self._scaled(X))[-1]
            probabilities = LOSSES[architecture.loss].probabilities(outputs)
        if not np.isfinite(probabilities).all():
            raise ValueError("X is so far beyond what fit has seen that the network overflows")
        return probabilities

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):  # a probability may be 0 in float64
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> Any:
        """Most probable label of each row; see `predict_proba`."""
        columns = self.predict_proba(X).argmax(axis=1)
        return self.classes_[columns]
