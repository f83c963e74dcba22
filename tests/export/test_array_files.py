"""safetensors and .npz: what is written is a network to the last bit, and says what it is."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.export import npz_file, safetensors_file
from mnist_net.export.contract import PICTURE, fully_connected
from mnist_net.learning.convolution import convolutions
from mnist_net.learning.network import Architecture, Layer, forward, initialize
from mnist_net.learning.scaling import Scaling
from mnist_net.trained.committee import Committee, Predictor
from mnist_net.trained.model import Model
from tests.conftest import extra
from tests.export.conftest import NETWORKS, with_biases
from tests.trained.conftest import assert_same_model, make_model, with_shared_weights

Contents = tuple[dict[str, np.ndarray], dict[str, Any]]


def read_npz(model: Predictor, folder: Path) -> Contents:
    (out,) = npz_file.write(model, folder / "it.npz", name="five")
    with np.load(out) as file:  # which refuses pickles
        arrays = dict(file)
    return arrays, json.loads(str(arrays.pop("description")))


def read_safetensors(model: Predictor, folder: Path) -> Contents:
    extra("safetensors")
    from safetensors import safe_open

    (out,) = safetensors_file.write(model, folder / "it.safetensors", name="five")
    with safe_open(out, "np") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return arrays, json.loads(file.metadata()["mnist-net"])


def rebuilt(arrays: dict[str, np.ndarray], said: dict[str, Any]) -> Predictor:
    """The model or committee that a file stands for, by what the file says alone."""
    members = []
    for number, facts in enumerate(said["members"]):
        layers = []
        for level in range(len(facts["activations"])):
            place = f"members.{number}.layers.{level}."
            layers.append(Layer(arrays.pop(f"{place}weights"), arrays.pop(f"{place}biases", None)))
        has_biases = tuple(layer.biases is not None for layer in layers)
        architecture = Architecture(
            tuple(facts["layer_sizes"]),
            tuple(facts["activations"]),
            facts["loss"],
            all(has_biases) or (any(has_biases) and has_biases),
        )
        members.append(
            Model(
                architecture,
                tuple(layers),
                np.array(facts["classes"]),
                Scaling(**facts["scaling"]),
                facts["metadata"],
                facts["temperature"],
            )
        )
    assert not arrays
    return members[0] if len(members) == 1 else Committee(tuple(members), said["metadata"])


@pytest.mark.parametrize("read", [read_npz, read_safetensors])
@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_written_is_the_network_to_the_last_bit(
    name: str, read: Callable[..., Contents], tmp_path: Path
) -> None:
    model = NETWORKS[name]()
    again = rebuilt(*read(model, tmp_path))
    pairs = [(again, model)]
    if isinstance(model, Committee):
        assert isinstance(again, Committee)
        assert again.metadata == model.metadata
        pairs = list(zip(again.members, model.members, strict=True))
    for actual, expected in pairs:
        assert isinstance(actual, Model)
        assert isinstance(expected, Model)
        (written_out,) = fully_connected(expected)
        assert_same_model(actual, written_out)


@pytest.mark.parametrize("read", [read_npz, read_safetensors])
def test_the_file_says_what_a_picture_must_look_like(
    read: Callable[..., Contents], tmp_path: Path
) -> None:
    overflowed = {"history": [{"loss": math.nan}]}
    model = replace(make_model(), metadata=overflowed)
    _, said = read(model, tmp_path)
    assert said["members"][0]["metadata"] == {"history": [{"loss": None}]}
    assert said["input"] == PICTURE
    assert said["name"] == "five"
    assert said["producer"].startswith("mnist-net ")


def test_shared_weights_written_out_make_the_same_network() -> None:
    model = with_biases(with_shared_weights(np.float64))
    (written_out,) = fully_connected(model)
    shapes = [layer.weights.shape for layer in written_out.parameters]
    assert shapes == written_out.architecture.weight_shapes
    assert shapes[:2] == [(784, 14 * 14 * 3), (14 * 14 * 3, 7 * 7 * 4)]
    X = np.random.default_rng(6).random((5, 784))
    for one, other in zip(
        forward(model.parameters, model.architecture, X),
        forward(written_out.parameters, written_out.architecture, X),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_more_weights_than_a_file_should_have_are_not_written_out(tmp_path: Path) -> None:
    model = with_shared_weights()
    sizes = (784, 14 * 14 * 500, 7 * 7 * 60, 6, 10)
    architecture = model.architecture._replace(
        layer_sizes=sizes, convolutions=convolutions(784, (500, 60))
    )
    parameters = initialize(architecture, np.random.default_rng(0), dtype=np.float32)
    large = replace(model, architecture=architecture, parameters=parameters)
    with pytest.raises(ModelFileError, match="364,969,700 weights when those that are shared"):
        npz_file.write(large, tmp_path / "m.npz", name="five")
    assert not list(tmp_path.iterdir())
