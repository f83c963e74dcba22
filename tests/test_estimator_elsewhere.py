"""`DigitClassifier` among libraries that `make test-extras` installs; skl2onnx has tests/export."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits

from mnist_net import DigitClassifier
from tests.conftest import ROOT, extra

X, Y = (array[:300] for array in load_digits(return_X_y=True))
SMALL = {"hidden_layer_sizes": (8,), "epochs": 3, "random_state": 0}


def test_arrays_of_other_libraries_pass_through_numpy(monkeypatch) -> None:
    strict = extra("array_api_strict")
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    arrays = strict.asarray(X), strict.asarray(Y)
    expected = DigitClassifier(**SMALL).fit(X, Y, sample_weight=Y + 1.0)
    for dispatch in (False, True):
        with sklearn.config_context(array_api_dispatch=dispatch):
            network = DigitClassifier(**SMALL).fit(*arrays, sample_weight=strict.asarray(Y + 1.0))
            answers = network.predict_proba(arrays[0])
        assert type(answers) is np.ndarray
        np.testing.assert_array_equal(answers, expected.predict_proba(X))


def test_skops_keeps_it_and_names_nothing_but_ours() -> None:
    skops = extra("skops.io")
    network = DigitClassifier(**SMALL).fit(X, Y)
    contents = skops.dumps(network)
    names = skops.get_untrusted_types(data=contents)
    assert names
    assert all(name.startswith("mnist_net.") for name in names)
    again = skops.loads(contents, trusted=names)
    np.testing.assert_array_equal(again.predict_proba(X), network.predict_proba(X))
    assert again.history_ == network.history_
    further = [one.partial_fit(X, Y).coefs_[0] for one in (again, network)]
    np.testing.assert_array_equal(*further)


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    for package in ("skops", "skl2onnx", "onnxruntime"):
        extra(package)
    page = (ROOT / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    session = extra("onnxruntime").InferenceSession(tmp_path / "pipeline.onnx")
    pictures, labels = load_digits(return_X_y=True)
    answers, _ = session.run(None, {"X": pictures.astype(np.float32)})
    assert (answers == labels).mean() > 0.95
