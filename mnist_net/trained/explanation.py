"""Why a network answers as it does: which pixels spoke for it, and which hidden units pushed."""

from typing import NamedTuple

import numpy as np

from mnist_net.arrays import IMAGE_SHAPE, Array, Bytes
from mnist_net.learning.network import forward, logit_gradients
from mnist_net.trained.committee import Predictor
from mnist_net.trained.facts import incoming_weights, networks_of
from mnist_net.trained.model import Model

_UNITS = 8


class Unit(NamedTuple):
    """A hidden unit of the first layer that spoke for an answer.

    Attributes
    ----------
    unit
        Its number, from 0.
    activation
        How much it fired.
    push
        Its activation times the gradient of the answer's logit with respect to it; where the first
        hidden layer is the only one, that gradient is its outgoing weight.
    weights
        What it looks for, in what the network makes of a picture: its weights, 28 × 28.
    """

    unit: int
    activation: float
    push: float
    weights: Array


class Explanation(NamedTuple):
    """What spoke for an answer.

    Attributes
    ----------
    saliency
        Gradient of the answer's logit with respect to the picture, 28 × 28: by how much the logit
        would grow with a pixel that went from black (0) to white (1), if that moved no moment by
        which the picture is normalized.  Of a committee, the mean over its members.
    units
        Those that pushed most for the answer, most first; none without a hidden layer.  Of a
        committee, those of its first member.
    """

    saliency: Array
    units: list[Unit]


def explain(model: Predictor, image: Bytes, label: int) -> Explanation:
    """Say what spoke for a label.

    Parameters
    ----------
    model
        A model or a committee.
    image
        What it saw: uint8, 28 × 28.
    label
        One of its classes.
    """
    explained = [_explain(member, image, label) for member in networks_of(model)]
    saliency: Array = np.mean([one.saliency for one in explained], axis=0)
    return Explanation(saliency, explained[0].units)


def _explain(model: Model, image: Bytes, label: int) -> Explanation:
    parameters, architecture = model.parameters, model.architecture
    A = forward(parameters, architecture, model.scaling.apply(image[None]))
    answer = int(np.searchsorted(model.classes, label))
    gradients = logit_gradients(parameters, architecture, A, answer)
    saliency = 255.0 * model.scaling.backward(image[None], gradients[0]).reshape(IMAGE_SHAPE)
    if len(parameters) == 1:
        return Explanation(saliency, [])
    fired, pushes = A[1][0], (A[1] * gradients[1])[0]
    most = np.argsort(-pushes, kind="stable")[:_UNITS]
    looks_for = incoming_weights(model, most)
    return Explanation(
        saliency,
        [
            Unit(int(i), float(fired[i]), float(pushes[i]), weights.reshape(IMAGE_SHAPE))
            for i, weights in zip(most, looks_for, strict=True)
        ],
    )
