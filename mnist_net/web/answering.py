"""What a thread does for requests: bodies in, JSON out; it knows nothing of HTTP's ways."""

import json
import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from mnist_net.errors import DataError
from mnist_net.pictures.decoding import Picture
from mnist_net.reading.answers import Reading, digit_answer, page_answer
from mnist_net.reading.reader import Reader
from mnist_net.reading.rules import Rule
from mnist_net.trained.explanation import explain
from mnist_net.trained.facts import facts_of
from mnist_net.web.asked import Body, correction_of, pictures_of
from mnist_net.web.limits import Limits
from mnist_net.web.metrics import Metrics
from mnist_net.web.problems import Problem, busy
from mnist_net.web.work import Job, Outcome

log = logging.getLogger(__name__)

_DECIMALS = 5  # of saliency and weights: they are looked at, not computed with

Store = Callable[[bytes, int, int | None], object]
"""Keeps a correction: a PNG, its label, and what was said of it."""


class Predict(NamedTuple):
    """What ``POST /api/predict`` asks for."""

    body: Body
    explain: bool


class Read(NamedTuple):
    """What ``POST /api/read`` asks for: a page, by a rule if there is one, or a table."""

    body: Body
    rule: Rule | None
    grid: bool


class Answering:
    """Reads what requests hold.

    Parameters
    ----------
    reader
        With its networks.
    name
        What the model is called.
    limits, metrics
        The service's.
    store
        Keeps corrections; None if they are not kept.
    """

    def __init__(
        self, reader: Reader, name: str, limits: Limits, metrics: Metrics, store: Store | None
    ) -> None:
        self.reader, self.name, self.limits, self.metrics = reader, name, limits, metrics
        self.store = store
        self.model = {"name": name, **facts_of(reader.model)}
        shown = ("name", "classes", "layer_sizes", "members")
        self._brief = {key: self.model[key] for key in shown if key in self.model}

    def facts(self) -> dict[str, Any]:
        """What `GET /api/model` says."""
        return {
            **self.model,
            "detector": self.reader.detector is not None,
            "reject_below": self.reader.reject_below,
            "feedback": self.store is not None,
            "version": version("mnist-net"),
        }

    def predict(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Read the pictures of several requests together; an error is one request's alone."""
        opened: list[list[Picture] | Exception] = [self._opened(job.request) for job in jobs]
        pictures = [one for each in opened if isinstance(each, list) for one in each]
        readings = iter(self.reader.read_together(pictures))
        outcomes: list[Outcome] = []
        for job, each in zip(jobs, opened, strict=True):
            if isinstance(each, Exception):
                outcomes.append(each)
                continue
            assert isinstance(job.request, Predict)
            own = [next(readings) for _ in each]
            answers = [self._answer(n, r, job.request) for n, r in enumerate(own, 1)]
            outcomes.append(to_json({"model": self._brief, "readings": answers}))
        return outcomes

    def _opened(self, request: object) -> list[Picture] | Exception:
        assert isinstance(request, Predict)
        try:
            pictures = pictures_of(request.body, self.limits)
            if request.explain and len(pictures) > self.limits.explained:
                raise Problem(422, f"explain=1 is for {self.limits.explained} pictures at most")
        except Exception as error:  # noqa: BLE001  (whatever it is, it is this request's)
            return error
        return pictures

    def _answer(self, number: int, reading: Reading, request: Predict) -> dict[str, Any]:
        self.metrics.pictures.labels("refused" if reading.digit is None else "digit").inc()
        model = self.reader.model
        classes = model.classes.tolist()
        answer = digit_answer(f"picture {number}", reading, classes, self.name)
        return {**answer, **self._explained(reading)} if request.explain else answer

    def _explained(self, reading: Reading) -> dict[str, Any]:
        """What the network saw, and what in it spoke for the likeliest digit, refused or not."""
        seen = reading.image.tolist()
        if reading.probabilities is None:
            return {"seen": seen, "saliency": None, "units": []}
        model = self.reader.model
        label = int(model.classes[reading.probabilities.argmax()])
        explanation = explain(model, reading.image, label)
        units = [
            {
                "unit": unit.unit,
                "activation": unit.activation,
                "push": unit.push,
                "weights": _rounded(unit.weights),
            }
            for unit in explanation.units
        ]
        return {"seen": seen, "saliency": _rounded(explanation.saliency), "units": units}

    def read(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Read a page, or a table."""
        (job,) = jobs
        assert isinstance(job.request, Read)
        body, rule, grid = job.request
        pictures = pictures_of(body, self.limits)
        if len(pictures) != 1:
            raise Problem(422, f"this reads one page at a time, not {len(pictures)}")
        self.metrics.pictures.labels("page").inc()
        (picture,) = pictures
        page = self.reader.read_grid(picture) if grid else self.reader.read_page(picture, rule)
        return [to_json(page_answer("picture 1", page, self.name))]

    def correct(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Keep a correction."""
        (job,) = jobs
        assert isinstance(job.request, bytes)
        assert self.store is not None
        correction = correction_of(job.request, self.limits)
        try:
            self.store(*correction)
        except (DataError, OSError) as error:
            log.error("a correction is lost: %s", error)
            raise busy("corrections cannot be kept now: see the service's own messages") from error
        self.metrics.corrections.inc()
        return [to_json({"stored": True, "label": correction.label})]


def _rounded(values: Any) -> list[list[float]]:
    return [[round(value, _DECIMALS) for value in row] for row in values.tolist()]


def to_json(value: Any) -> bytes:
    """JSON in ASCII, as the command line prints it."""
    return json.dumps(value, allow_nan=False).encode()
