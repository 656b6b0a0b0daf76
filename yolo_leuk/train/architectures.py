"""The nets that ``train`` knows, by name: which stock YAML of Ultralytics builds each."""

from __future__ import annotations

from dataclasses import dataclass

from yolo_leuk.errors import ConfigError


@dataclass(frozen=True)
class Architecture:
    """A net that can be trained.

    Attributes:
        name: As given to ``--arch``.
        yamls: Task to the YAML that builds it; a task that is missing is not supported.
    """

    name: str
    yamls: dict[str, str]


_KNOWN = {
    architecture.name: architecture
    for architecture in (
        Architecture("v11n", {"detect": "yolo11n.yaml", "classify": "yolo11n-cls.yaml"}),
    )
}


def architecture(name: str, task: str) -> Architecture:
    """The architecture of this name. Raises ConfigError for an unknown one, listing the known."""
    if name not in _KNOWN:
        raise ConfigError(
            f"unknown architecture {name!r}", hint=f"Known are {', '.join(sorted(_KNOWN))}."
        )
    if task not in _KNOWN[name].yamls:
        raise ConfigError(
            f"{name} has no net for {task}; it has {', '.join(sorted(_KNOWN[name].yamls))}"
        )
    return _KNOWN[name]
