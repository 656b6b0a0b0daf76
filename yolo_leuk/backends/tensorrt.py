"""TensorRT engines, by TensorRT's and CUDA's Python bindings alone."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.backends import cuda_runtime
from yolo_leuk.backends.cuda_runtime import call
from yolo_leuk.backends.net import Arrays, check_batch, check_outputs
from yolo_leuk.errors import CardError, ModelError
from yolo_leuk.model_card import ModelCard

# An engine holds machine code and chosen kernels: it runs where these three are the same. (A newer
# driver runs it, too.)
_MUST_BE_THE_SAME = ("gpu", "compute_capability", "tensorrt")


class TensorRTNet:
    """A net as an engine on this machine's GPU.

    It keeps one stream and memory for the largest batch so far; :meth:`close`, or the end of the
    object, gives both back. Not for several threads at once.

    Raises:
        CardError: The card is not that of an engine.
        ModelError: The engine was built elsewhere, is damaged, or there is no GPU.
        MissingExtraError: TensorRT or CUDA's bindings are not installed.
    """

    def __init__(self, path: Path, card: ModelCard) -> None:
        _refuse_one_built_elsewhere(path, card)
        trt = cuda_runtime.tensorrt()
        self._card = card
        # TensorRT's objects need their makers to outlive them.
        self._logger = trt.Logger(trt.Logger.ERROR)
        self._runtime = cuda_runtime.started(trt.Runtime, self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if self._engine is None:
            raise ModelError(
                f"{path} cannot be read by TensorRT {trt.__version__}", hint=_how_to_build(card)
            )
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise ModelError(f"{path}: the GPU has too little memory left to run it")
        self._input, self._outputs = _tensors(trt, self._engine, path)
        check_outputs(path, card, self._outputs)
        self._lowest, _, self._highest = (
            tuple(shape) for shape in self._engine.get_tensor_profile_shape(self._input, 0)
        )
        self._memory = _DeviceMemory()
        self._finalizer = weakref.finalize(self, self._memory.free)

    @property
    def card(self) -> ModelCard:
        """What the net is."""
        return self._card

    def run(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """Outputs by name, float32.

        Raises:
            ModelError: The batch does not fit the engine's profile, or the GPU fails.
        """
        self._refuse_what_does_not_fit(batch)
        parts = [self._run_part(part) for part in _parts(batch, self._highest[0])]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def close(self) -> None:
        """Give the GPU's memory back; the net cannot be run any more."""
        self._finalizer()

    def _refuse_what_does_not_fit(self, batch: npt.NDArray[np.uint8]) -> None:
        if not self._finalizer.alive:
            raise ModelError(f"{self._card.name} was closed")
        check_batch(self._card, batch)
        sides = zip(self._lowest[1:], batch.shape[1:], self._highest[1:], strict=True)
        if not len(batch) or not all(low <= side <= high for low, side, high in sides):
            raise ModelError(
                f"{self._card.name} cannot be run on {batch.dtype} {batch.shape}: its engine was "
                f"built for pictures from {self._lowest} to {self._highest}"
            )

    def _run_part(self, batch: npt.NDArray[np.uint8]) -> Arrays:
        """One batch that the profile allows: copied in, run, copied out, all in one stream."""
        memory, context = self._memory, self._context
        batch = np.ascontiguousarray(batch)
        try:
            self._demand(context.set_input_shape(self._input, batch.shape), "take the shape")
            address = memory.copy_in(self._input, batch)
            self._demand(context.set_tensor_address(self._input, address), "place its input")
            answers = {name: self._answer(name) for name in self._outputs}
            self._demand(context.execute_async_v3(memory.stream), "be run")
            for name, answer in answers.items():
                memory.copy_out(name, answer)
        finally:
            memory.wait()  # what was asked for reads and writes arrays of this function
        return answers

    def _answer(self, name: str) -> npt.NDArray[np.float32]:
        """Room for an output, here and on the GPU."""
        shape = tuple(self._context.get_tensor_shape(name))
        if min(shape, default=0) < 0:
            raise ModelError(f"{self._card.name}: the size of its output {name} is unknown")
        answer = np.empty(shape, np.float32)
        address = self._memory.reserved(name, answer.nbytes)
        self._demand(self._context.set_tensor_address(name, address), f"place its output {name}")
        return answer

    def _demand(self, done: bool, what: str) -> None:
        if not done:
            raise ModelError(f"the engine {self._card.name} could not {what}")


class _DeviceMemory:
    """A stream, and a piece of the GPU's memory for each tensor, which grows when it must."""

    def __init__(self) -> None:
        self._cuda = cuda_runtime.cuda()
        self._pieces: dict[str, tuple[int, int]] = {}  # address and size in bytes
        self._stream = call(self._cuda.cudaStreamCreate)

    @property
    def stream(self) -> int:
        return int(self._stream)

    def reserved(self, name: str, nbytes: int) -> int:
        """The address of at least ``nbytes`` for a tensor."""
        address, size = self._pieces.get(name, (0, 0))
        if size < max(nbytes, 1):
            if name in self._pieces:
                del self._pieces[name]
                call(self._cuda.cudaFree, address)
            address, size = int(call(self._cuda.cudaMalloc, max(nbytes, 1))), max(nbytes, 1)
            self._pieces[name] = (address, size)
        return address

    def copy_in(self, name: str, array: npt.NDArray[Any]) -> int:
        """Copy an array to the GPU; returns its address there."""
        address = self.reserved(name, array.nbytes)
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(address, array.ctypes.data, array.nbytes, kind)
        return address

    def copy_out(self, name: str, array: npt.NDArray[Any]) -> None:
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(array.ctypes.data, self._pieces[name][0], array.nbytes, kind)

    def _copy(self, to: int, from_: int, nbytes: int, kind: Any) -> None:
        call(self._cuda.cudaMemcpyAsync, to, from_, nbytes, kind, self._stream)

    def wait(self) -> None:
        """Until all that was asked of the stream is done."""
        call(self._cuda.cudaStreamSynchronize, self._stream)

    def free(self) -> None:
        while self._pieces:
            _, (address, _) = self._pieces.popitem()
            call(self._cuda.cudaFree, address)
        call(self._cuda.cudaStreamDestroy, self._stream)


def _tensors(trt: Any, engine: Any, path: Path) -> tuple[str, list[str]]:
    """The names of the input and of the outputs."""
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
    outputs = [n for n in names if n not in inputs]
    types = {n: engine.get_tensor_dtype(n) for n in names}
    if [types[n] for n in inputs] != [trt.DataType.UINT8] or any(
        types[n] != trt.DataType.FLOAT for n in outputs
    ):
        raise ModelError(
            f"{path}: expected an engine of one uint8 input and float32 outputs, found "
            + ", ".join(f"{n} {types[n]}" for n in names)
        )
    return inputs[0], outputs


def _parts(batch: npt.NDArray[np.uint8], most: int) -> Iterator[npt.NDArray[np.uint8]]:
    return (batch[start : start + most] for start in range(0, len(batch), most))


def _refuse_one_built_elsewhere(path: Path, card: ModelCard) -> None:
    built = card.export.get("engine")
    if not isinstance(built, dict):
        raise CardError(
            f"the card of {path.name} does not say where the engine was built",
            hint="Build it by yolo-leuk export --format engine, which writes its card.",
        )
    here = cuda_runtime.this_device().to_json()
    differing = [key for key in _MUST_BE_THE_SAME if built.get(key) != here[key]]
    if differing:
        facts = "; ".join(f"{key} {built.get(key)!r}, here {here[key]!r}" for key in differing)
        raise ModelError(
            f"{path} was built elsewhere, and an engine runs only where it was built: {facts}",
            hint=_how_to_build(card),
        )


def _how_to_build(card: ModelCard) -> str:
    command = card.export["engine"].get("command", "yolo-leuk export MODEL --format engine")
    return f"Build it here: {command}"
