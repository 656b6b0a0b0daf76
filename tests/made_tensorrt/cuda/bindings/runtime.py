"""A stand-in for ``cuda.bindings.runtime``: a GPU whose memory is pieces of this process's own.

What is put into a stream happens when the stream is waited for, not before: who forgets to wait
reads nothing. Addresses that were not allocated, and pieces that are too small, are errors.
``MADE_GPU`` and ``MADE_COMPUTE_CAPABILITY`` in the environment say what GPU it is; with an empty
name there is none.
"""

from __future__ import annotations

import ctypes
import enum
import os

PIECES: dict[int, ctypes.Array] = {}
STREAMS: dict[int, list] = {}


class cudaError_t(enum.IntEnum):
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorNoDevice = 100


class cudaMemcpyKind(enum.IntEnum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


_GOOD = cudaError_t.cudaSuccess
_BAD = cudaError_t.cudaErrorInvalidValue
_MOST_BYTES = 1 << 31


class cudaDeviceProp:
    def __init__(self) -> None:
        self.name = os.environ.get("MADE_GPU", "Orin").encode()
        major, minor = os.environ.get("MADE_COMPUTE_CAPABILITY", "8.7").split(".")
        self.major, self.minor = int(major), int(minor)


def cudaGetDevice():
    if not cudaDeviceProp().name:
        return cudaError_t.cudaErrorNoDevice, None
    return _GOOD, 0


def cudaGetDeviceProperties(device):
    return (_GOOD, cudaDeviceProp()) if device == 0 else (_BAD, None)


def cudaDriverGetVersion():
    return _GOOD, 12060


def cudaGetErrorString(error):
    return _GOOD, cudaError_t(error).name.encode()


def cudaMalloc(size):
    if sum(map(len, PIECES.values())) + size > _MOST_BYTES:
        return cudaError_t.cudaErrorMemoryAllocation, None
    piece = ctypes.create_string_buffer(size)
    PIECES[ctypes.addressof(piece)] = piece
    return _GOOD, ctypes.addressof(piece)


def cudaFree(devPtr):
    return (_GOOD,) if PIECES.pop(devPtr, None) is not None else (_BAD,)


def cudaStreamCreate():
    handle = max(STREAMS, default=0) + 1
    STREAMS[handle] = []
    return _GOOD, handle


def cudaStreamDestroy(stream):
    return (_GOOD,) if STREAMS.pop(int(stream), None) is not None else (_BAD,)


def cudaStreamSynchronize(stream):
    if int(stream) not in STREAMS:
        return (_BAD,)
    while STREAMS[int(stream)]:
        STREAMS[int(stream)].pop(0)()
    return (_GOOD,)


def cudaMemcpyAsync(dst, src, count, kind, stream):
    on_device = dst if kind == cudaMemcpyKind.cudaMemcpyHostToDevice else src
    if len(PIECES.get(on_device, b"")) < count or int(stream) not in STREAMS:
        return (_BAD,)
    STREAMS[int(stream)].append(lambda: ctypes.memmove(dst, src, count))
    return (_GOOD,)
