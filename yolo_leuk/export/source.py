"""What is exported: the nets of a model, as ONNX in float32, and what each must answer like."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts, onnx_graph
from yolo_leuk.backends.checkpoint import CheckpointNet
from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.ensemble_file import read_ensemble
from yolo_leuk.ensemble_graph import merged
from yolo_leuk.errors import ExportError, HashError
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Role
from yolo_leuk.export.side_by_side import SideBySide
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import ModelFile, model_file
from yolo_leuk.pipeline import PipelineFile, read_pipeline_file
from yolo_leuk.shipped import weights_folder


@dataclass(frozen=True)
class Part:
    """One net that is exported.

    Attributes:
        role: In its pipeline; ``model`` where there is none.
        path: Of the file that was named for it.
        reference: What the export must answer like.
        graph: ONNX file in float32.
    """

    role: Role
    path: Path
    reference: Net
    graph: bytes

    @property
    def card(self) -> ModelCard:
        """The card that an export of it begins with."""
        return dataclasses.replace(self.reference.card, name=self.name, export={}, sha256="")

    @property
    def name(self) -> str:
        """What its file is called: ``train`` calls all of them best."""
        card = self.reference.card
        return _safe(f"{card.architecture}-{card.task}" if card.name == "best" else card.name)

    @property
    def origin(self) -> dict[str, Any]:
        """The file that was named for it, as it stands in the card of an export."""
        return {"file": self.path.name, "sha256": artifacts.sha256_of_file(self.path)}


@dataclass(frozen=True)
class Source:
    """What is exported.

    Attributes:
        parts: One net, or those of a pipeline.
        pipeline: What the pipeline file says; None of a single net.
    """

    parts: tuple[Part, ...]
    pipeline: PipelineFile | None = None

    @property
    def name(self) -> str:
        """What a folder of it is called."""
        return self.parts[0].name if self.pipeline is None else _safe(self.pipeline.name)


def opened(config: ExportConfig) -> Source:
    """Open what was named.

    An ensemble for a Jetson gets the detector that ships: a device looks at fields.

    Raises:
        UsageError: It is nothing that can be exported.
        ModelError: It cannot be opened, or is not the file that its card speaks of.
        ExportError: It cannot be made an ONNX file in float32.
        MissingExtraError: It is a checkpoint, and torch is not installed.
    """
    named = model_file(config.model, prefer_checkpoint=True)
    if named.kind == "pipeline":
        pipeline = read_pipeline_file(named.path)
        return Source(_parts_of(pipeline, config.trust), pipeline)
    part = _part(named, "model", config.trust)
    if named.kind == "ensemble" and config.format == "jetson":
        pipeline = read_pipeline_file(weights_folder() / "default.json")
        detector = _part(ModelFile(pipeline.detector, "net"), "detector", config.trust)
        classifier = dataclasses.replace(part, role="classifier")
        return Source((detector, classifier), dataclasses.replace(pipeline, name=part.name))
    return Source((part,))


def _parts_of(pipeline: PipelineFile, trust: bool) -> tuple[Part, ...]:
    parts = [
        _part(model_file(pipeline.detector), "detector", trust),
        _part(model_file(pipeline.classifier), "classifier", trust),
    ]
    if pipeline.picture is not None:
        parts.append(_part(model_file(pipeline.picture), "picture", trust))
    for part in parts:
        if part.origin["sha256"] != pipeline.sha256[part.role] and not trust:
            raise HashError(
                f"{pipeline.path}: the {part.role} has SHA-256 {part.origin['sha256']}, expected "
                f"{pipeline.sha256[part.role]}",
                hint="Fetch the weights again; the pipeline and its nets do not belong together.",
            )
    return tuple(parts)


def _part(named: ModelFile, role: Role, trust: bool) -> Part:
    if named.kind == "ensemble":
        return _of_ensemble(named.path, role, trust)
    if named.kind == "checkpoint":
        return _of_checkpoint(named.path, role, trust)
    net = open_net(named.path, trust=trust)
    if named.path.suffix.lower() != ".onnx" or net.card.precision != "fp32":
        raise ExportError(
            f"{named.path} is a net in {net.card.precision} for one runtime; exports are made of "
            "nets in float32",
            hint="Name what it was made from: the run, the ONNX file, the ensemble.",
        )
    return Part(role, named.path, net, named.path.read_bytes())


def _of_ensemble(path: Path, role: Role, trust: bool) -> Part:
    ensemble = read_ensemble(path, trust=trust)
    name = path.resolve().parent.name
    reference = SideBySide(name, ensemble, trust=trust)
    nets = [net.read_bytes() for net in ensemble.nets]
    return Part(role, path, reference, merged(nets, reference.card))


def _of_checkpoint(path: Path, role: Role, trust: bool) -> Part:
    reference = CheckpointNet(path, trust=trust)
    card = reference.card
    if reference.projection is None:
        graph = onnx_graph.detector_graph(reference.net, path.name)
    else:
        graph = onnx_graph.classifier_graph(
            reference.net, reference.projection, card.input_px, path.name
        )
    return Part(role, path, reference, graph)


def _safe(name: str) -> str:
    """``name`` as the name of a file on every system."""
    return re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "net"
