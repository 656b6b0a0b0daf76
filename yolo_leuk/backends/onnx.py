"""ONNX files by onnxruntime, on the CPU."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends.net import Arrays, check_batch, check_outputs, usable_cores
from yolo_leuk.errors import ModelError
from yolo_leuk.model_card import ModelCard


class OnnxNet:
    """A net in one onnxruntime session.

    Args:
        path: The file.
        card: Of the net.

    Raises:
        ModelError: onnxruntime cannot open it, or it is no net of the kind that the card tells.
    """

    def __init__(self, path: Path, card: ModelCard) -> None:
        onnxruntime = quiet_onnxruntime()
        options = onnxruntime.SessionOptions()
        # A thread per core that this process may use; in a container that is not all there are.
        options.intra_op_num_threads = usable_cores()
        options.inter_op_num_threads = 1
        # Threads that spin for the next run would take the cores from what comes between two runs.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no common base class for its errors
            raise ModelError(f"{path} cannot be opened by onnxruntime: {error}") from error
        self._card = card
        self._outputs = [output.name for output in self._session.get_outputs()]
        check_outputs(path, card, self._outputs)
        self._input = _input_of(self._session, path)

    @property
    def card(self) -> ModelCard:
        """What the net is."""
        return self._card

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs by name. Raises ModelError where the shape does not fit the net."""
        check_batch(self._card, batch)
        try:
            values = self._session.run(self._outputs, {self._input: batch})
        except Exception as error:  # as above
            raise ModelError(
                f"{self._card.name} cannot be run on {batch.dtype} {batch.shape}: {error}"
            ) from error
        return dict(zip(self._outputs, values, strict=True))


def _input_of(session: Any, path: Path) -> str:
    """Name of the one input. Raises ModelError where it takes no pictures."""
    inputs = session.get_inputs()
    found = [(one.type, len(one.shape)) for one in inputs]
    if found != [("tensor(uint8)", 4)]:
        told = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        raise ModelError(
            f"{path}: expected one input of uint8 pictures (n, height, width, 3), found {told}",
            hint="The file is none of this program's; export the trained net again.",
        )
    return str(inputs[0].name)


def quiet_onnxruntime() -> Any:
    """Import onnxruntime with its telemetry switched off, and return the module.

    Its official builds keep a device id in the user's cache and send events to their maker, unless
    this is set before the first import; the call that switches it off later comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return importlib.import_module("onnxruntime")
