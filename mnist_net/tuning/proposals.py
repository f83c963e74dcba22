"""How a search proposes what to try next, and when it gives up a trial: by Optuna, under names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import optuna

SAMPLERS = {
    "tpe": "where earlier trials did well, by tree-structured Parzen estimators",
    "random": "anywhere in the space",
}
PRUNERS = {
    "median": "if a trial is worse than the median of the others was after as many epochs",
    "none": "never",
}

_UNJUDGED_TRIALS = 5  # the first ones go to their end
_UNJUDGED_EPOCHS = 2  # of each trial, in which the rate still rises


def sampler_named(name: str, seed: int) -> "optuna.samplers.BaseSampler":
    """The sampler of a name, which for each trial begins with a seed of its own.

    So a proposal depends on the seed, the trial's number and what the study holds, and not on which
    process makes it; and two processes never propose the same because they began alike.
    """
    import optuna

    makers: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
        "tpe": lambda own: optuna.samplers.TPESampler(seed=own),
        "random": lambda own: optuna.samplers.RandomSampler(seed=own),
    }
    make = makers[name]

    class Sampler(optuna.samplers.BaseSampler):  # type: ignore[misc, unused-ignore]
        """Another sampler for each trial."""

        def before_trial(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            self.own = make(int(np.random.SeedSequence([seed, trial.number]).generate_state(1)[0]))
            self.own.before_trial(study, trial)

        def infer_relative_search_space(self, *arguments: Any) -> Any:
            return self.own.infer_relative_search_space(*arguments)

        def sample_relative(self, *arguments: Any) -> Any:
            return self.own.sample_relative(*arguments)

        def sample_independent(self, *arguments: Any) -> Any:
            return self.own.sample_independent(*arguments)

        def after_trial(self, *arguments: Any) -> None:
            self.own.after_trial(*arguments)

    return Sampler()


def pruner_named(name: str) -> "optuna.pruners.BasePruner":
    """The pruner of a name."""
    import optuna

    if name == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(_UNJUDGED_TRIALS, _UNJUDGED_EPOCHS)
