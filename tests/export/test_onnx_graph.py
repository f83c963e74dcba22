"""ONNX: the graph is valid, and ONNX Runtime gives our digits and our probabilities."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_net.errors import ModelFileError
from mnist_net.export import onnx_graph
from mnist_net.export.contract import PICTURE
from mnist_net.export.onnx_graph import onnx_model, write
from mnist_net.learning.activations import ACTIVATIONS
from mnist_net.learning.losses import LOSSES
from mnist_net.learning.network import Layer
from mnist_net.reading.reader import Reader
from mnist_net.trained.committee import Predictor
from tests.conftest import extra
from tests.export.conftest import NETWORKS, assert_agree, committee, rounded
from tests.trained.conftest import make_model


@pytest.fixture(autouse=True)
def _packages() -> None:
    extra("onnx")
    extra("onnxruntime")


def run_graph(made: Any, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ONNX Runtime answers, once the checker has nothing to say."""
    extra("onnx").checker.check_model(made, full_check=True)
    runtime = extra("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    digits, probabilities = session.run(["digit", "probabilities"], {"pictures": pictures})
    assert (digits.dtype, probabilities.dtype) == (np.int64, np.float32)
    return digits, probabilities


def as_floats(pictures: np.ndarray) -> np.ndarray:
    return pictures.astype(np.float32) / np.float32(255.0)


def test_every_activation_and_loss_has_its_nodes() -> None:
    assert onnx_graph._ACTIVATIONS.keys() == ACTIVATIONS.keys()
    assert onnx_graph._PROBABILITIES.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_answers_as_here(name: str, pictures: np.ndarray) -> None:
    model = NETWORKS[name]()
    assert_agree(model, pictures, *run_graph(onnx_model(model), pictures))
    floats = run_graph(onnx_model(model, inputs="float"), as_floats(pictures))
    assert_agree(model, pictures, *floats)


@pytest.mark.parametrize("name", NETWORKS)
def test_int8_weights_answer_as_the_weights_that_they_stand_for(
    name: str, pictures: np.ndarray
) -> None:
    model = NETWORKS[name]()
    found = run_graph(onnx_model(model, quantize=True), pictures)
    assert_agree(rounded(model), pictures, *found)


def test_a_batch_may_have_any_length(pictures: np.ndarray) -> None:
    made = onnx_model(make_model())
    for length in (0, 1, 7):
        digits, probabilities = run_graph(made, pictures[:length])
        assert digits.shape == (length,)
        assert probabilities.shape == (length, 10)


@pytest.mark.parametrize("inputs", ["uint8", "float"])
def test_all_test_pictures_are_read_as_by_the_network_that_ships(
    inputs: str, reader: Reader, test_pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, _ = test_pictures
    made = onnx_model(reader.model, inputs=inputs)
    given = images if inputs == "uint8" else as_floats(images)
    digits, probabilities = run_graph(made, given)
    assert digits.tolist() == reader.model.predict(images).tolist()
    assert np.abs(probabilities - reader.model.predict_proba(images)).max() <= 1e-5


def test_int8_weights_cost_three_errors_in_ten_thousand_at_most(
    reader: Reader, test_pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = test_pictures
    whole, small = onnx_model(reader.model), onnx_model(reader.model, quantize=True)
    assert small.ByteSize() < 0.27 * whole.ByteSize()
    errors = int((run_graph(small, images)[0] != labels).sum())
    assert errors - int((reader.model.predict(images) != labels).sum()) <= 3


@pytest.mark.parametrize("inputs", ["uint8", "float"])
def test_the_file_says_what_it_wants_and_what_it_is(tmp_path: Path, inputs: str) -> None:
    onnx, model = extra("onnx"), committee()
    (out,) = write(model, tmp_path / "it.onnx", name="five", inputs=inputs)
    made = onnx.load(out)
    assert (made.ir_version, made.opset_import[0].version) == (8, 13)  # of 2021 and 2022
    assert made.producer_name == "mnist-net"
    assert made.graph.name == "five"
    told = {entry.key: entry.value for entry in made.metadata_props}
    for words in (made.doc_string, made.graph.input[0].doc_string, told["input"]):
        assert PICTURE in words
        assert ("divided by 255" in words) == (inputs == "float")
    assert json.loads(told["classes"]) == list(range(10))
    assert json.loads(told["metadata"]) == model.metadata
    assert [one["activations"] for one in json.loads(told["members"])] == [
        list(member.architecture.activations) for member in model.members
    ]
    wanted = made.graph.input[0].type.tensor_type
    assert wanted.elem_type == (
        onnx.TensorProto.UINT8 if inputs == "uint8" else onnx.TensorProto.FLOAT
    )
    assert [one.dim_param or one.dim_value for one in wanted.shape.dim] == ["N", 28, 28]
    assert [one.name for one in made.graph.output] == ["digit", "probabilities"]


def test_what_float32_cannot_hold_is_refused(tmp_path: Path) -> None:
    model = make_model((), dtype=np.float64)
    (layer,) = model.parameters
    huge: Predictor = replace(model, parameters=(Layer(layer.weights * 1e200, None),))
    with pytest.raises(ModelFileError, match="too large for float32"):
        write(huge, tmp_path / "it.onnx")
    assert list(tmp_path.iterdir()) == []
