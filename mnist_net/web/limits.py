"""Every limit of the service, in one place; `docs/serving.md` states them."""

from dataclasses import dataclass

from mnist_net.pictures.decoding import MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one client, and all of them together may ask for.

    Attributes
    ----------
    head_bytes
        Of a request's line and headers; more is answered 400.
    body_bytes
        Of one request; more is answered 413.
    held_bytes
        Of all bodies that are in memory together; more is answered 503.
    pixels
        Of one picture; more is answered 422 before it is decoded.
    pictures, explained
        In one request, and with ``?explain=1``; more is answered 422.
    side, pen
        Of a drawing: pixels of a side, width of the pen; more is answered 422.
    points, paper
        Of all drawings of a request: points of their strokes, and pixels; more is answered 422.
    at_once
        Requests of one client that are under way together; more is answered 429.
    waiting
        Requests of all clients that are read or wait for it; more is answered 503.
    connections
        Open ones of all clients; more is answered 503 and closed.
    threads
        That read pages, photographs and other large pictures together; one more reads small ones.
    together
        Small requests that are read together at most.
    head_seconds, body_seconds, idle_seconds
        For a request's head to come, for its body (answered 408), and between two requests of a
        connection; a connection that is slower is closed.
    answer_seconds
        To wait and to be read; longer is answered 503.
    stop_seconds
        For what is under way when the service is told to end.
    """

    head_bytes: int = 16_384
    body_bytes: int = 20_000_000
    held_bytes: int = 200_000_000
    pixels: int = MAX_PIXELS
    pictures: int = 256
    explained: int = 16
    side: int = 2_000
    pen: float = 100.0
    points: int = 20_000
    paper: int = 16_000_000
    at_once: int = 64
    waiting: int = 128
    connections: int = 512
    threads: int = 2
    together: int = 32
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 15.0
    answer_seconds: float = 30.0
    stop_seconds: float = 5.0
