"""The errors that yolo-leuk raises, and the exit code that each one ends the command with.

    YoloLeukError                    1
    ├── UsageError                   2   the command, its options or its configuration
    │   ├── ConfigError              2   a YAML key or value
    │   ├── MissingExtraError        2   a part that is not installed
    │   └── OutputError              2   a place that cannot be written
    ├── DataError                    3   images, labels, manifests
    │   ├── ImageError               3   a file that is no readable picture
    │   ├── ManifestError            3   a table of samples that breaks its schema
    │   └── LeakageError             3   one file or one group in two splits
    ├── ModelError                   4   weights, cards, runtimes
    │   ├── CardError                4   a model card or pipeline file that breaks its schema
    │   └── HashError                4   a file that is not the one its card speaks of
    └── ExportError                  5   an export, or its parity with the source

Every message says what was expected, what came, and where; ``hint`` says what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class YoloLeukError(Exception):
    """Base of all errors of this package.

    Args:
        message: What was expected, what came, and where.
        hint: What the reader can do about it; one sentence, or empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(YoloLeukError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration has an unknown key or a value out of range."""


class MissingExtraError(UsageError):
    """The command needs a part that is not installed; the hint is the ``pip install`` line."""


class OutputError(UsageError):
    """A file or folder cannot be written."""


class DataError(YoloLeukError):
    """Images, labels or tables are not what they should be."""

    exit_code = 3


class ImageError(DataError):
    """A file is missing, or is no picture that can be read whole."""


class ManifestError(DataError):
    """A manifest breaks its schema."""


class LeakageError(DataError):
    """One file or one group stands in two splits."""


class ModelError(YoloLeukError):
    """Weights, their card or the runtime that should run them."""

    exit_code = 4


class CardError(ModelError):
    """A model card or a pipeline file breaks its schema."""


class HashError(ModelError):
    """A file is not the one that its card speaks of."""


class ExportError(YoloLeukError):
    """A model cannot be exported, or the export answers differently from its source."""

    exit_code = 5
