"""What the network saw of a picture: printed, or saved."""

import sys
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mnist_net.arrays import Bytes

_SHADES = " .:-=+*#%@"


def show_image(image: "Bytes") -> None:
    """Print a picture with two pixels a character, in greys if the terminal has colours."""
    lines = [_line(upper, lower) for upper, lower in zip(image[::2], image[1::2], strict=True)]
    click.echo("\n".join(lines))


def _line(upper: "Bytes", lower: "Bytes") -> str:
    context = click.get_current_context()
    coloured = (
        sys.stdout is not None and sys.stdout.isatty() and context.find_root().color is not False
    )
    if coloured:
        # 24 greys from 232 (nearly black) to 255 (nearly white) of the 256 colours.
        cells = (
            f"\x1b[38;5;{232 + int(a) * 23 // 255};48;5;{232 + int(b) * 23 // 255}m▀"
            for a, b in zip(upper, lower, strict=True)
        )
        return "".join(cells) + "\x1b[0m"
    means = (upper.astype(int) + lower) // 2
    return "".join(_SHADES[int(mean) * (len(_SHADES) - 1) // 255] for mean in means).rstrip()


class Saver:
    """Writes what the network saw, each picture under a name of its own."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def save(self, name: str, image: "Bytes") -> None:
        """Write one picture; the second of the same name gets a number."""
        if self.folder is None:
            return
        from mnist_net.pictures.decoding import save_png

        stem = "stdin" if name == "-" else Path(name).stem
        numbered = (f"{stem}-{number}" for number in count(2))
        unused = next(n for n in chain([stem], numbered) if n not in self._names)
        self._names.add(unused)
        save_png(image, self.folder / f"{unused}.png")
