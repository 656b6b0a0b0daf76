"""The tree of errors, and what each one does to the exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from yolo_leuk import errors
from yolo_leuk.errors import YoloLeukError

# A branch of the tree: its ornament, the name of the class, its exit code.
_DOCUMENTED = re.compile(r"^ {4}([│├└─ ]*)(\w+Error) +(\d+)", re.MULTILINE)


def documented_tree() -> Iterator[tuple[str, str, int]]:
    """(class, base, exit code) as the module's docstring draws them."""
    branch: list[str] = []
    for ornament, name, code in _DOCUMENTED.findall(errors.__doc__):
        depth = len(ornament) // 4
        branch[depth:] = [name]
        yield name, branch[depth - 1] if depth else "Exception", int(code)


def real_tree() -> Iterator[tuple[str, str, int]]:
    """(class, base, exit code) as Python has them."""
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, YoloLeukError):
            assert error.__base__ is not None
            yield error.__name__, error.__base__.__name__, error.exit_code


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    assert sorted(documented_tree()) == sorted(real_tree())


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.UsageError, 2),
        (errors.DataError, 3),
        (errors.ModelError, 4),
        (errors.ExportError, 5),
    ],
)
def test_each_family_has_the_exit_code_of_the_contract(error, exit_code):
    assert error("what").exit_code == exit_code


def test_an_error_keeps_its_message_and_its_hint_apart():
    error = errors.ImageError("smear.jpg is empty", hint="Copy it again.")
    assert str(error) == "smear.jpg is empty"
    assert error.hint == "Copy it again."
