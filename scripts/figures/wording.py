"""Figures as the published tables write them."""

from __future__ import annotations

from typing import Any


def with_interval(figure: dict[str, Any]) -> str:
    """A figure and its interval, for instance ``0.909 (0.848–0.942)``."""
    return f"{digits(figure['value'])} ({digits(figure['low'])}–{digits(figure['high'])})"


def difference(figure: dict[str, Any]) -> str:
    """A difference and its interval, for instance ``+0.296 (−0.012 to +0.492)``."""
    value, low, high = (f"{figure[key]:+.3f}" for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})".replace("-", "−")


def digits(share: float) -> str:
    """Three digits; what is not quite 1 is not written as if it were."""
    return "0.999" if 0.9995 <= share < 1 else f"{share:.3f}"
