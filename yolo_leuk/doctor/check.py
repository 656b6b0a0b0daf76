"""The outcome of looking at one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """What was found, and what to do about it.

    Attributes:
        name: What was looked at.
        status: ``ok``; ``warn`` where a part of the toolkit cannot work; ``fail`` where detection
            cannot, or where two parts stand in each other's way.
        detail: What was found.
        remedy: The command that mends or adds it; empty where there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""
