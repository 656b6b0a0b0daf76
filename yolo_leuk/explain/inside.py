"""A checkpoint that is looked into: its layers by name, and what speaks for a class in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.checkpoint import CheckpointNet, classifier_module
from yolo_leuk.errors import ConfigError, ModelError

_MOST_NAMED = 30


@dataclass(frozen=True)
class Layer:
    """A part of a net that answers with a map.

    Attributes:
        name: ``6``, or ``6.m.0`` within that.
        module: Of torch.
        channels: Of its map.
        places_wh: Size of its map.
    """

    name: str
    module: Any
    channels: int
    places_wh: tuple[int, int]

    @property
    def kind(self) -> str:
        """Of layer."""
        return type(self.module).__name__

    @property
    def is_whole(self) -> bool:
        """Whether it is no part of another layer."""
        return "." not in self.name


class Inside:
    """A classifier of torch.

    Args:
        net: Ultralytics' own, or any with its layers in ``model``.
        name: For messages.
        temperature: The logits are divided by it.
        input_px: Side of what the net is shown.

    Attributes:
        module: uint8 (n, S, S, 3) to the log-odds of all classes, (n, classes).
        layers: All that answer once, with a map, in the order in which they do.

    Raises:
        ModelError: No layer answers with a map.
    """

    def __init__(self, net: Any, name: str, temperature: float, input_px: int) -> None:
        self.name = name
        self.module = _log_odds_module(classifier_module(net), temperature)
        blank = np.zeros((1, input_px, input_px, 3), np.uint8)
        self.layers = _layers_that_answer(net, self.module, blank)
        if not self.layers:
            raise ModelError(f"{name} has no layer that answers with a map")

    @classmethod
    def load(cls, path: Path, name: str, temperature: float, *, trust: bool = False) -> Inside:
        """Load a checkpoint safely.

        Raises:
            ModelError: It is no checkpoint, or no layer of it answers with a map.
            HashError: It is not the one that its card speaks of.
        """
        checkpoint = CheckpointNet(path, trust=trust)
        return cls(checkpoint.net, name, temperature, checkpoint.card.input_px)

    def layer(self, wanted: str | int) -> Layer:
        """A layer by name (``6``, ``6.m.0``), or counted from the last (``-1``).

        Raises:
            ConfigError: There is none, or it answers with no map.
        """
        by_name = {layer.name: layer for layer in self.layers}
        whole = [layer for layer in self.layers if layer.is_whole]
        from_last = {str(number): layer for number, layer in enumerate(whole, -len(whole))}
        found = {**from_last, **by_name}.get(str(wanted).strip())
        if found is None:
            known = sorted(self.layers, key=lambda layer: layer.name.count("."))
            named = ", ".join(f"{layer.name} ({layer.kind})" for layer in known[:_MOST_NAMED])
            raise ConfigError(
                f"{self.name} has no layer {wanted!r} that answers with a map",
                hint=f"Known are {named}{' …' if len(known) > _MOST_NAMED else ''}.",
            )
        return found

    def deepest_layer(self, least_places: int) -> Layer:
        """The last one with so many places a side or more, or as many as any has."""
        sides = {layer.name: min(layer.places_wh) for layer in self.layers}
        places = min(least_places, max(sides.values()))
        return next(layer for layer in reversed(self.layers) if sides[layer.name] >= places)


def as_tensor(batch: npt.NDArray[np.uint8]) -> Any:
    """Pictures as torch takes them."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(batch))


def _layers_that_answer(net: Any, module: Any, batch: npt.NDArray[np.uint8]) -> list[Layer]:
    import torch

    found: list[Layer] = []

    def note(name: str, one: Any, answer: Any) -> None:
        if isinstance(answer, torch.Tensor) and answer.ndim == 4:
            _, channels, height, width = answer.shape
            found.append(Layer(name, one, channels, (width, height)))

    hooks = [
        one.register_forward_hook(lambda one, _, answer, name=name: note(name, one, answer))
        for name, one in net.model.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            module(as_tensor(batch))
    finally:
        for hook in hooks:
            hook.remove()
    # One that answers several times, as an activation that layers share, has no map of its own.
    times = Counter(layer.name for layer in found)
    return [layer for layer in found if times[layer.name] == 1]


def _log_odds_module(classifier: Any, temperature: float) -> Any:
    import torch

    class LogOdds(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.classifier = classifier

        def forward(self, images: Any) -> Any:
            logits = self.classifier(images)[0] / temperature
            of_class = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)
            others = logits[:, None, :].masked_fill(of_class, float("-inf"))
            return logits - torch.logsumexp(others, dim=2)

    return LogOdds().eval()
