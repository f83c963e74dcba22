"""What can go wrong, by name.

Every error that a user can cause is a `MnistNetError` whose message is one sentence: what was
found, what was expected, what to do.  The command line prints that sentence and nothing else.
"""


class MnistNetError(Exception):
    """The parent of every error that this package raises on purpose."""


class DataError(MnistNetError, ValueError):
    """A data set is missing, broken, or not what it claims to be."""


class RecipeError(MnistNetError, ValueError):
    """A file is no recipe for training, or no space of them that can be searched."""


class ImageError(MnistNetError, ValueError):
    """A picture cannot be read as a digit."""


class FormatError(ImageError):
    """A picture is in a format that is not read, or not here."""


class ModelFileError(MnistNetError, ValueError):
    """A file is not a model (or a checkpoint) that this version can read."""


class DivergenceError(MnistNetError, ArithmeticError, ValueError):
    """Training left the finite numbers."""


class ClusterError(MnistNetError, RuntimeError):
    """Other machines are not there, or cannot do this."""
