"""A graph that was made of another one, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Converted:
    """What a change of precision gives.

    Attributes:
        model: The new graph, an ``onnx.ModelProto``.
        facts: How it was made, as JSON knows it; they go into its card.
    """

    model: Any
    facts: Mapping[str, Any]
