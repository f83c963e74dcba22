"""What the service counts, for Prometheus; in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

__all__ = ["CONTENT_TYPE", "Metrics"]

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """Counters, gauges and histograms; every label has few values, whatever clients send."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mnist_net_requests",
            "Requests answered, by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "mnist_net_request_seconds",
            "Seconds from a request's head to the end of its response.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pictures = Counter(
            "mnist_net_pictures",
            "Pictures read, by what became of them: digit, refused, or page.",
            ("outcome",),
            registry=self.registry,
        )
        self.turned_away = Counter(
            "mnist_net_turned_away",
            "Requests over a limit: client, queue, memory, time, connections, head, body.",
            ("limit",),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "mnist_net_waiting",
            "Requests that are read, or wait for it.",
            registry=self.registry,
        )
        self.batch = Histogram(
            "mnist_net_batch_requests",
            "Small requests that were read together.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self.corrections = Counter(
            "mnist_net_corrections", "Corrections stored.", registry=self.registry
        )

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self.registry)
