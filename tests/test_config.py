"""Default < YAML < --set < flag, checked against the annotations of a dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from yolo_leuk.config import resolve
from yolo_leuk.errors import ConfigError


@dataclass(frozen=True)
class Colour:
    swap: float = 0.5
    stain: float = 0.25


@dataclass(frozen=True)
class Settings:
    data: Path | None = None
    arch: Literal["v8n", "v11n"] = "v11n"
    epochs: int = 10
    rate: float = 0.01
    cache: bool = False
    name: str = "first"
    scale: Literal["auto", "none"] | float = "auto"
    folds: tuple[int, ...] = (0, 1)
    window: tuple[int, float] = (3, 1.5)
    colour: Colour = field(default_factory=lambda: Colour(stain=0.75))


@dataclass(frozen=True)
class Required:
    inputs: tuple[Path, ...]
    colour: Colour


def from_text(text: str, tmp_path: Path, **flags: object) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return resolve(Settings, path, (), flags)


def test_without_any_layer_the_defaults_stand():
    assert resolve(Settings) == Settings()


def test_a_flag_beats_set_which_beats_yaml_which_beats_the_default(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("epochs: 20\nrate: 0.2\nname: yaml\n")
    settings = resolve(Settings, path, ["rate=0.3", "name=assigned"], {"name": "flag"})
    assert (settings.epochs, settings.rate, settings.name) == (20, 0.3, "flag")


def test_a_flag_that_was_not_given_changes_nothing(tmp_path):
    assert from_text("epochs: 20", tmp_path, epochs=None).epochs == 20


def test_the_last_of_two_assignments_counts():
    assert resolve(Settings, None, ["epochs=1", "epochs=2"]).epochs == 2


def test_an_empty_file_changes_nothing(tmp_path):
    assert from_text("# only a comment\n", tmp_path) == Settings()


def test_one_key_of_a_nested_configuration_leaves_the_others_as_they_were(tmp_path):
    settings = from_text("colour: {swap: 0.9}", tmp_path)
    assert settings.colour == Colour(swap=0.9, stain=0.75)


def test_set_reaches_into_a_nested_configuration_with_dots(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("colour: {stain: 0.1}")
    assert resolve(Settings, path, ["colour.swap=1"]).colour == Colour(swap=1.0, stain=0.1)


def test_a_nested_configuration_without_default_is_built_from_its_keys():
    config = resolve(Required, None, ["colour.swap=0.9"], {"inputs": (Path("a.jpg"),)})
    assert config == Required((Path("a.jpg"),), Colour(swap=0.9))


@pytest.mark.parametrize(
    ("assignment", "name", "value"),
    [
        ("epochs=7", "epochs", 7),
        ("rate=1e-3", "rate", 0.001),
        ("rate=2", "rate", 2.0),
        ("cache=true", "cache", True),
        ("data=some folder/data.yaml", "data", Path("some folder/data.yaml")),
        ("data=null", "data", None),
        ("arch=v8n", "arch", "v8n"),
        ("scale=none", "scale", "none"),
        ("scale=28.5", "scale", 28.5),
        ("folds=[2, 3, 4]", "folds", (2, 3, 4)),
        ("window=[5, 2]", "window", (5, 2.0)),
        ("name='10'", "name", "10"),
        ("name=a=b", "name", "a=b"),
    ],
)
def test_a_value_is_read_as_the_annotation_says(assignment, name, value):
    found = getattr(resolve(Settings, None, [assignment]), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("epochs=ten", "a whole number"),
        ("epochs=1.5", "a whole number"),
        ("epochs=true", "a whole number"),
        ("rate=fast", "a number"),
        ("rate=.nan", "a number"),
        ("rate=true", "a number"),
        ("cache=1", "true or false"),
        ("name=10", "a text"),
        ("arch=v9", "v8n or v11n"),
        ("scale=large", "auto or none or a number"),
        ("folds=3", "a list, each a whole number"),
        ("folds=[a]", "a list, each a whole number"),
        ("window=[1]", "a list of 2: a whole number, a number"),
        ("data=[1]", "a path or null"),
        ("colour=red", "key: value lines"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_what_was_expected(assignment, expected):
    with pytest.raises(ConfigError) as caught:
        resolve(Settings, None, [assignment])
    assert f"expected {expected}, got" in str(caught.value)
    assert f"--set {assignment}" in str(caught.value)


def test_an_unknown_key_names_the_known_ones_and_the_nearest(tmp_path):
    with pytest.raises(
        ConfigError, match=r"settings\.yaml: unknown key 'epoch'; known are data,"
    ) as e:
        from_text("epoch: 3", tmp_path)
    assert e.value.hint == "Did you mean epochs?"


def test_an_unknown_nested_key_is_named_with_where_it_stands(tmp_path):
    with pytest.raises(ConfigError, match=r"settings\.yaml: colour: unknown key 'hue'"):
        from_text("colour: {hue: 1}", tmp_path)


def test_a_field_that_no_layer_sets_and_that_has_no_default_is_named():
    with pytest.raises(ConfigError, match="expected a value for inputs, got none"):
        resolve(Required)


@pytest.mark.parametrize("assignment", ["epochs", "=3", " =3"])
def test_an_assignment_without_key_or_equals_sign_is_refused(assignment):
    with pytest.raises(ConfigError, match="expected --set KEY=VALUE"):
        resolve(Settings, None, [assignment])


@pytest.mark.parametrize("text", ["- a\n- b", "just text", "3"])
def test_a_yaml_file_that_is_no_mapping_is_refused(text, tmp_path):
    with pytest.raises(ConfigError, match=r"settings\.yaml: expected key: value lines"):
        from_text(text, tmp_path)


def test_broken_yaml_is_refused_with_its_file(tmp_path):
    with pytest.raises(ConfigError, match=r"settings\.yaml is no YAML"):
        from_text("epochs: [1", tmp_path)


def test_a_missing_yaml_file_is_refused_with_its_path(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.yaml"):
        resolve(Settings, tmp_path / "nowhere.yaml")
