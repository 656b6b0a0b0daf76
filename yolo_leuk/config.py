"""From YAML, ``--set`` and flags to a frozen dataclass; an unknown key is an error.

The dataclass is the only schema: its fields are the known keys, its annotations their types, its
defaults the lowest layer. Nested dataclasses are nested mappings; ``--set`` reaches into them with
dots (``--set colour.swap=0.9``).
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast

from yolo_leuk.errors import ConfigError

T = TypeVar("T")

_MISFIT = (TypeError, ValueError)


def resolve(
    cls: type[T],
    yaml_path: Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, object] | None = None,
) -> T:
    """Build a configuration: default < YAML < ``--set`` < flag.

    Args:
        cls: A frozen dataclass.
        yaml_path: A YAML file with a mapping, or None.
        assignments: Texts ``key=value``; the value is read as it would be in the YAML file.
        flags: Field name to value; None means that the flag was not given.

    Raises:
        ConfigError: An unreadable file, an unknown key, a value of the wrong type, or a field
            without default that no layer sets.
    """
    values: dict[str, Any] = {}
    if yaml_path is not None:
        values = _laid_over(cls, values, _read_yaml(yaml_path), str(yaml_path))
    for assignment in assignments:
        values = _laid_over(cls, values, _parse_assignment(assignment), f"--set {assignment}")
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    values = _laid_over(cls, values, given, "command line")
    return cast("T", _build(cls, values))


def as_plain(config: Any, *, whole_paths: bool) -> dict[str, Any]:
    """A configuration as JSON and YAML know it: lists for tuples, text for paths.

    Args:
        config: A dataclass.
        whole_paths: False leaves only the last part of each path. What leaves this machine, as a
            model card or a data card does, must not tell where somebody keeps their files.
    """
    plain: dict[str, Any] = _plain(dataclasses.asdict(config), whole_paths)
    return plain


def _plain(value: Any, whole_paths: bool) -> Any:
    if isinstance(value, Path):
        return str(value) if whole_paths else value.name
    if isinstance(value, dict):
        return {key: _plain(item, whole_paths) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, whole_paths) for item in value]
    return value


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    content = _parse_yaml(text, str(path))
    if content is None:  # an empty file changes nothing
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected key: value lines, got {_shown(content)}")
    return content


def _parse_yaml(text: str, source: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is no YAML: {error}") from error


def _parse_assignment(assignment: str) -> Mapping[str, Any]:
    """``a.b=1`` as {"a": {"b": 1}}."""
    key, equals, text = assignment.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"expected --set KEY=VALUE, got --set {assignment}")
    value = _parse_yaml(text, f"--set {assignment}")
    for part in reversed(key.strip().split(".")):
        value = {part: value}
    return cast("Mapping[str, Any]", value)


def _laid_over(
    cls: Any, below: Mapping[str, Any], layer: Mapping[Any, Any], source: str
) -> dict[str, Any]:
    """``below`` with the checked values of ``layer`` on top; neither is changed."""
    annotations = typing.get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls) if f.init]
    values = dict(below)
    for key, value in layer.items():
        if key not in known:
            raise _unknown_key(str(key), known, source)
        annotation = annotations[key]
        if dataclasses.is_dataclass(annotation) and isinstance(value, Mapping):
            values[key] = _laid_over(annotation, below.get(key, {}), value, f"{source}: {key}")
        else:
            values[key] = _checked(value, annotation, f"{source}: {key}")
    return values


def _build(cls: Any, values: Mapping[str, Any]) -> Any:
    annotations = typing.get_type_hints(cls)
    arguments = {}
    for field in dataclasses.fields(cls):
        default = _default_of(field)
        if field.name in values:
            annotation, value = annotations[field.name], values[field.name]
            nested = dataclasses.is_dataclass(annotation) and isinstance(value, dict)
            arguments[field.name] = _nested(annotation, value, default) if nested else value
        elif field.init and default is dataclasses.MISSING:
            raise ConfigError(f"expected a value for {field.name}, got none")
    return cls(**arguments)


def _nested(cls: Any, values: Mapping[str, Any], default: Any) -> Any:
    """A nested configuration of which perhaps only some keys were given."""
    return _build(cls, values) if default is dataclasses.MISSING else _changed(default, values)


def _changed(config: Any, values: Mapping[str, Any]) -> Any:
    arguments = {
        name: _changed(getattr(config, name), value)
        if dataclasses.is_dataclass(getattr(config, name)) and isinstance(value, dict)
        else value
        for name, value in values.items()
    }
    return dataclasses.replace(config, **arguments)


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _unknown_key(key: str, known: list[str], source: str) -> ConfigError:
    near = difflib.get_close_matches(key, known, n=1)
    return ConfigError(
        f"{source}: unknown key {key!r}; known are {', '.join(known)}",
        hint=f"Did you mean {near[0]}?" if near else "",
    )


def _checked(value: Any, annotation: Any, where: str) -> Any:
    """``value`` as the annotated type, or ConfigError that says what was expected."""
    try:
        return _as_type(value, annotation)
    except _MISFIT:
        raise ConfigError(
            f"{where}: expected {_described(annotation)}, got {_shown(value)}"
        ) from None


def _as_type(value: Any, annotation: Any) -> Any:
    """``value`` as the annotated type; TypeError or ValueError where it is none."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return value
    if origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in inner):
            return value
        raise ValueError
    if origin in (Union, types.UnionType):
        return _as_first_that_fits(value, inner)
    if origin is tuple:
        return _as_tuple(value, inner)
    if origin is dict:
        return _as_dict(value, inner[0], inner[1])
    return _as_scalar(value, annotation)


def _as_first_that_fits(value: Any, arms: tuple[Any, ...]) -> Any:
    for arm in arms:
        try:
            return _as_type(value, arm)
        except _MISFIT:
            continue
    raise ValueError


def _as_tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_as_type(item, inner[0]) for item in value)
    if len(value) != len(inner):
        raise ValueError
    return tuple(_as_type(item, arm) for item, arm in zip(value, inner, strict=True))


def _as_dict(value: Any, key: Any, item: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_as_type(k, key): _as_type(v, item) for k, v in value.items()}


def _as_scalar(value: Any, annotation: type) -> Any:
    if annotation is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        return _finite(float(value))  # a text too: YAML 1.1 takes 1e-3 for one
    if annotation is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    if annotation is types.NoneType and value is None:
        return None
    if type(value) is annotation:  # exactly: True is no number here
        return value
    raise TypeError


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError
    return number


def _described(annotation: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in names:
        return names[annotation]
    if annotation is types.NoneType:
        return "null"
    if annotation is Path:
        return "a path"
    if origin is Literal:
        return " or ".join(str(choice) for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_described(arm) for arm in inner)
    if origin is dict:
        return f"key: value lines, each value {_described(inner[1])}"
    if origin is tuple and inner[-1] is Ellipsis:
        return f"a list, each {_described(inner[0])}"
    if origin is tuple:
        return f"a list of {len(inner)}: {', '.join(_described(arm) for arm in inner)}"
    return "key: value lines"


def _shown(value: Any) -> str:
    return f"{value!r} ({type(value).__name__})"
