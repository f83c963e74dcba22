"""How fast pictures are read on one core, decoding included and imports not."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading.reader import Reader
from scripts.draw_examples import draw

REPEATS = 3  # the fastest counts: whatever else the machine does only ever adds time
N_OFF_FORM = 2_000  # are enough, for they are read more slowly
PHOTOGRAPH = (4000, 3000)  # pixels


def off_form(image: Bytes) -> Bytes:
    """A digit of MNIST as others would hand it in: black on white, smaller, and off-centre."""
    page = np.full(image.shape, 255, np.uint8)
    page[1:25, 3:27] = 255 - np.asarray(Image.fromarray(image).resize((24, 24)))
    return page


def photograph(path: Path) -> None:
    """Write a digit on shaded, grainy paper as a JPEG of 12 megapixels."""
    width, height = PHOTOGRAPH
    digit = draw(4).convert("L").resize((4 * height // 5, 4 * height // 5))
    left, top = (width - digit.width) // 2, (height - digit.height) // 2
    light = np.linspace(150.0, 230.0, width, dtype=np.float32)[None].repeat(height, axis=0)
    ink = np.asarray(digit, np.float32) / 255.0
    light[top : top + digit.height, left : left + digit.width] *= 0.3 + 0.7 * ink
    light += np.random.default_rng(0).normal(0.0, 4.0, light.shape).astype(np.float32)
    grey = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    grey.convert("RGB").save(path, format="JPEG", quality=90)


def seconds(work: Callable[[], object]) -> float:
    """Of the fastest of some runs, after one that makes the imports."""
    work()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def seconds_to_read(paths: list[Path], reader: Reader) -> float:
    """From files to answers, on one core."""
    with threadpool_limits(1):
        return seconds(lambda: list(reader.read(open_image(p, p.name) for p in paths)))


def _written(images: list[Bytes], folder: Path) -> list[Path]:
    paths = [folder / f"{k}.png" for k in range(len(images))]
    for image, path in zip(images, paths, strict=True):
        save_png(image, path)
    return paths


def measure_speed(images: Bytes, reader: Reader) -> dict[str, float]:
    """Small pictures a second, and seconds for a large one.

    Parameters
    ----------
    images
        uint8, N × 28 × 28: MNIST's.
    reader
        What reads.
    """
    forms = {
        "PNG a second, 28 × 28 in MNIST's form": list(images),
        "PNG a second, 28 × 28 black on white, smaller and off-centre": [
            off_form(image) for image in images[:N_OFF_FORM]
        ],
    }
    speed = {}
    for name, pictures in forms.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = _written(pictures, Path(folder))
            speed[name] = round(len(paths) / seconds_to_read(paths, reader), 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photograph.jpg")
        photograph(path)
        name = "seconds for a JPEG of 12 megapixels"
        speed[name] = round(seconds_to_read([path], reader), 3)
    return speed
