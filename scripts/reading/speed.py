"""How fast pictures are read from files on one core, decoding included and imports not."""

import gc
import tempfile
import timeit
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from mnist_net.arrays import Bytes
from mnist_net.pictures.decoding import open_image, save_png
from mnist_net.reading.reader import Reader
from scripts.records import ROOT

REPEATS = 3  # the fastest counts: whatever else the machine does only ever adds time
N_OFF_FORM = 2_000  # are enough, for they are read more slowly
PHOTOGRAPH = (4000, 3000)  # pixels
IN_FORM = "PNG a second, 28 × 28 in MNIST's form"
OFF_FORM = "PNG a second, 28 × 28 black on white, smaller and off-centre"
LARGE = "seconds for a JPEG of 12 megapixels"


def off_form(image: Bytes) -> Bytes:
    """A digit of MNIST as others would hand it in: black on white, smaller, and off-centre."""
    page = np.full(image.shape, 255, np.uint8)
    page[1:25, 3:27] = 255 - np.asarray(Image.fromarray(image).resize((24, 24)))
    return page


def _photograph(path: Path) -> None:
    """Write an example, enlarged to 12 megapixels."""
    with Image.open(ROOT / "examples" / "0.png") as example:
        example.convert("RGB").resize(PHOTOGRAPH).save(path, format="JPEG", quality=90)


def _files(form: str, images: Bytes, folder: str) -> list[Path]:
    """Pictures in one of the forms, written there."""
    if form == LARGE:
        path = Path(folder, "photograph.jpg")
        _photograph(path)
        return [path]
    pictures = images if form == IN_FORM else list(map(off_form, images[:N_OFF_FORM]))
    paths = [Path(folder, f"{k}.png") for k in range(len(pictures))]
    for picture, path in zip(pictures, paths, strict=True):
        save_png(picture, path)
    return paths


def _read(paths: list[Path], reader: Reader) -> int:
    return len(list(reader.read(open_image(path, path.name) for path in paths)))


def measure_speed(images: Bytes, reader: Reader) -> dict[str, float]:
    """How many small pictures of MNIST's form are read a second, and seconds for a large one."""
    speed = {}
    for form in (IN_FORM, OFF_FORM, LARGE):
        with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
            work = partial(_read, _files(form, images, folder), reader)
            n_read = work()  # with the imports
            fastest = min(timeit.repeat(work, gc.enable, repeat=REPEATS, number=1))
        speed[form] = round(fastest, 3) if form == LARGE else round(n_read / fastest, 1)
    return speed
