"""LabelScheme: class names in fixed order, and which of them are blasts."""

from __future__ import annotations

from dataclasses import dataclass

from yolo_leuk.errors import ConfigError


@dataclass(frozen=True)
class LabelScheme:
    """Class names in the order of a model's outputs.

    Attributes:
        names: Class names; the position is the class id.
        blasts: Those of them that are leukemic blasts; may be empty.
    """

    names: tuple[str, ...]
    blasts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) != len(self.names):
            raise ConfigError(f"expected distinct class names, got {list(self.names)}")
        if unknown := self.blasts - set(self.names):
            raise ConfigError(f"blasts {sorted(unknown)} are not among {list(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def id_of(self, name: str) -> int:
        """Position of a class name. Raises ConfigError for an unknown one."""
        if name not in self.names:
            raise ConfigError(f"unknown class {name!r}; known are {', '.join(self.names)}")
        return self.names.index(name)

    @property
    def blast_ids(self) -> tuple[int, ...]:
        """Positions of the blast classes."""
        return tuple(i for i, name in enumerate(self.names) if name in self.blasts)


# What the detector sees. Only "white" goes on to the classifier.
FIELD = LabelScheme(("white", "red", "platelet"))

# Maturity stages of B-cell ALL after the ALL-4-class data set (Aria et al. 2021), and a fifth
# class for normal white cells, without which a closed set calls a neutrophil a blast.
MATURITY = LabelScheme(
    ("Benign", "Early", "Pre", "Pro", "Other"), blasts=frozenset({"Early", "Pre", "Pro"})
)
