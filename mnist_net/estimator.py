"""The network as a scikit-learn classifier, for any features and any labels.

The mathematics, the loop and the defaults are `training`'s; here they only learn scikit-learn's
manners.  Features are scaled by one mean and one deviation over all of them, so that pixels from 0
to 255 train as well as pixels from 0 to 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from mnist_net.arrays import Array
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.network import Architecture, forward
from mnist_net.learning.recipe import Hyperparameters
from mnist_net.learning.training import Batch, classifier, one_hot, train

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
    hidden_layer_sizes, activation, loss, initialization
        See `Hyperparameters`.
    optimizer, learning_rate, momentum, weight_decay, l2_penalty, schedule, warmup_epochs
        Likewise.
    batch_size, epochs, shuffle, patience
        Likewise.
    validation_fraction : float
        Fraction of the training examples, drawn at random, to hold out; `patience` needs it.
    random_state : int, RandomState instance or None
        Seed of the weights and of the order.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    parameters_ : tuple of Layer
        The network's weights and biases, float32.
    history_ : tuple of dict
        See `training.Progress`.
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
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        # As scikit-learn wants it: each under its own name, and looked at only when it is fitted.
        self.__dict__.update((name, value) for name, value in locals().items() if name != "self")

    def _hyperparameters(self, random_state: int, **changes: Any) -> Hyperparameters:
        own = {
            f.name: getattr(self, f.name) for f in fields(Hyperparameters) if hasattr(self, f.name)
        }
        own["hidden_layer_sizes"] = tuple(np.atleast_1d(self.hidden_layer_sizes).tolist())
        return Hyperparameters(**{**own, "random_state": random_state, **changes})

    def fit(self, X: Any, y: Any) -> Self:
        """Train from new random weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, finite.
        y : array-like of shape (n_samples,)
            Labels of any kind.

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
            X, y = validate_data(self, X, y, dtype="numeric")
            check_classification_targets(y)
            self._start(X, unique_labels(y))
            if not 0.0 <= self.validation_fraction < 1.0:
                raise ValueError(
                    f"validation_fraction is {self.validation_fraction}; it must be in [0, 1)"
                )
            n_held_out = int(self.validation_fraction * len(X))
            recipe = self._hyperparameters(self._seed, validation=n_held_out)
            if not n_held_out:
                return self._learn(self._batch(X, y), recipe)
            order = np.random.default_rng(self._seed).permutation(len(X))
            X, y = X[order], y[order]
            validation = self._batch(X[:n_held_out], y[:n_held_out])
            data = self._batch(X[n_held_out:], y[n_held_out:])
            return self._learn(data, recipe, validation=validation)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Make one epoch over some examples, going on from the latest weights.

        The rate is constant and without warm-up, for the number of calls is not known; scaling and
        classes are settled by the first call.

        Parameters
        ----------
        X, y
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
        first = not hasattr(self, "parameters_")
        with _as_before_on_failure(self):
            X, y = validate_data(self, X, y, dtype="numeric", reset=first)
            check_classification_targets(y)
            if first:
                self._start(X, unique_labels(y if classes is None else classes))
            elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
                raise ValueError(f"classes is not what it was at the first call: {self.classes_}")
            if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
                raise ValueError(f"y has labels that are not among the classes: {sorted(unknown)}")
            epochs = 1 if first else self.n_iter_ + 1
            recipe = self._hyperparameters(
                self._seed, epochs=epochs, schedule="constant", warmup_epochs=0.0, patience=None
            )
            if not first and self._network != self._network_of(recipe):
                raise ValueError(
                    "partial_fit goes on with the layers, activation, loss and optimizer of the "
                    "first call, and they have been set to others: set them back, or call fit"
                )
            return self._learn(self._batch(X, y), recipe, start=None if first else self._progress)

    def _network_of(self, recipe: Hyperparameters) -> tuple[Architecture, str]:
        """What must stay the same from one `partial_fit` to the next."""
        return classifier(self.n_features_in_, len(self.classes_), recipe), recipe.optimizer

    def _start(self, X: Array, classes: Any) -> None:
        self._seed = int(check_random_state(self.random_state).randint(2**31))
        self.classes_ = classes
        # Relative to the largest number, so that no square overflows or vanishes.
        self._largest = float(np.abs(X).max()) or 1.0
        relative = X.astype(np.float64) / self._largest
        self._mean, self._deviation = float(relative.mean()), float(relative.std()) or 1.0

    def _batch(self, X: Array, y: Any) -> Batch:
        indices = np.searchsorted(self.classes_, y)
        return Batch(self._scaled(X).astype(np.float32), one_hot(indices, len(self.classes_)))

    def _scaled(self, X: Array) -> Array:
        return (X.astype(np.float64) / self._largest - self._mean) / self._deviation

    def _learn(self, data: Batch, recipe: Hyperparameters, **options: Any) -> Self:
        *_, self._progress = train(data, recipe, **options)
        self._network = self._network_of(recipe)  # whatever `set_params` is told afterwards
        self.parameters_ = self._progress.chosen(recipe).parameters
        self.history_ = self._progress.history
        self.n_iter_ = self._progress.latest.number
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
        X = validate_data(self, X, dtype="numeric", reset=False)
        architecture, _ = self._network
        # In float64, so that a row's answer does not depend on the rows beside it.
        with np.errstate(all="ignore"):  # the check below says it better
            outputs = forward(self.parameters_, architecture.activations, self._scaled(X))[-1]
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
