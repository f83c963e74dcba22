"""What there is to say of a model, as plain values."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_net.arrays import Array
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model


def facts_of(model: Predictor) -> dict[str, Any]:
    """Its size and kind; of a committee, those of its first member, and how many there are."""
    if isinstance(model, Committee):
        return {"members": len(model.members), **_facts(model.members[0])}
    return _facts(model)


def _facts(model: Model) -> dict[str, Any]:
    architecture = model.architecture
    arrays = [array for layer in model.parameters for array in layer if array is not None]
    return {
        "layer_sizes": list(architecture.layer_sizes),
        "feature_maps": list(architecture.feature_maps),
        "activations": list(architecture.activations),
        "loss": architecture.loss,
        "parameters": sum(array.size for array in arrays),
        "dtype": str(arrays[0].dtype),
        "classes": model.classes.tolist(),
        "scaling": model.scaling._asdict(),
        "temperature": model.temperature,
    }


def networks_of(model: Predictor) -> tuple[Model, ...]:
    """The network, or the members of a committee."""
    return model.members if isinstance(model, Committee) else (model,)


def histories_of(model: Predictor) -> list[list[dict[str, Any]]]:
    """Of each network, the epochs of its training; none where its file does not say."""
    said = [network.metadata.get("history") for network in networks_of(model)]
    histories = [one if isinstance(one, list) else [] for one in said]
    known = [[record for record in one if isinstance(record, dict)] for one in histories]
    return [history for history in known if history]


def first_layer_of(model: Predictor) -> Array | None:
    """Weights of the first hidden layer, 784 × units, of a committee's first member.

    First are the units that the next layer listens to most; of weights that are shared, one unit
    of each feature map, in the middle.  None without a hidden layer.
    """
    first = networks_of(model)[0]
    if len(first.parameters) < 2:
        return None
    (weights, _), (heard, _) = first.parameters[:2]
    n_units = weights.shape[1]  # or feature maps, which the next layer hears at several places
    loudness = np.linalg.norm(heard.reshape(-1, n_units, heard.shape[1]), axis=(0, 2))
    loudest = np.argsort(-loudness, kind="stable")
    convolutions = first.architecture.convolutions
    middle = convolutions[0].places ** 2 // 2 + convolutions[0].places // 2 if convolutions else 0
    return incoming_weights(first, middle * n_units + loudest).T


def incoming_weights(model: Model, units: npt.NDArray[np.intp]) -> Array:
    """Of units of the first layer the weights on every pixel, units × 784."""
    weights, convolutions = model.parameters[0].weights, model.architecture.convolutions
    return convolutions[0].weights_of(weights, units) if convolutions else weights.T[units]


def story_of(model: Predictor) -> dict[str, str]:
    """What it is and how it came to be, for a person to read; only what its file says."""
    networks, facts = networks_of(model), facts_of(model)
    sizes, kinds = "-".join(map(str, facts["layer_sizes"])), facts["activations"][:-1]
    known = {**networks[0].metadata, **model.metadata}
    data = known.get("data", {})
    seconds = [network.metadata.get("seconds") for network in networks]
    taken = sum(one for one in seconds if isinstance(one, float))
    maps = " and ".join(map(str, facts["feature_maps"]))
    layers = [sizes, *dict.fromkeys(kinds), *([f"{maps} feature maps"] if maps else [])]
    story = {
        "networks": str(len(networks)) if len(networks) > 1 else "",
        "layers": ", ".join(layers),
        "learned from": f"{data['n_train']:,} pictures of {data.get('name')}"
        if isinstance(data.get("n_train"), int)
        else "",
        "recipe": str(known.get("preset") or ""),
        "epochs": str(known.get("epoch") or ""),
        "training": f"{taken / 60.0:.1f} minutes" if taken else "",
        "date": str(known.get("date") or "")[:10],
    }
    return {name: value for name, value in story.items() if value}
