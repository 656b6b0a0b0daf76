"""Files that come with the package are found in a wheel and in a checkout."""

from __future__ import annotations

import pytest

from yolo_leuk import shipped
from yolo_leuk.errors import ModelError


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "yolo_leuk"
    folder.mkdir()
    monkeypatch.setattr(shipped, "_PACKAGE", folder)
    return folder


@pytest.mark.parametrize(
    ("find", "in_wheel", "in_checkout"),
    [
        (shipped.weights_folder, "weights", "weights"),
        (shipped.samples_folder, "samples", "datasets/samples"),
    ],
)
def test_the_folder_of_a_wheel_is_preferred_to_that_of_a_checkout(
    package, find, in_wheel, in_checkout
):
    (package.parent / in_checkout).mkdir(parents=True)
    assert find() == package.parent / in_checkout
    (package / in_wheel).mkdir()
    assert find() == package / in_wheel


def test_an_installation_without_its_weights_is_a_model_error_that_names_both_places(package):
    with pytest.raises(ModelError) as caught:
        shipped.weights_folder()
    assert str(package / "weights") in str(caught.value)
    assert str(package.parent / "weights") in str(caught.value)
    assert "pip install" in caught.value.hint
