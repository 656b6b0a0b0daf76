"""What a run trains on: the CPU, one GPU, or several of this machine."""

from __future__ import annotations

from collections import Counter

from yolo_leuk.backends.net import usable_cores
from yolo_leuk.errors import UsageError


def chosen_device(wanted: str) -> str:
    """The device in the words of Ultralytics: ``cpu``, ``0``, or ``0,1``.

    Args:
        wanted: The same; empty takes a GPU where there is one.

    Raises:
        UsageError: This machine does not have it.
    """
    import torch

    gpus = [str(number) for number in range(torch.cuda.device_count())]
    if not wanted:
        return gpus[0] if gpus else "cpu"
    parts = [part.strip() for part in wanted.split(",")]
    if unknown := [part for part in parts if part not in (*gpus, "cpu")]:
        raise UsageError(
            f"torch finds no device {', '.join(map(repr, unknown))}; "
            f"it finds {', '.join([*gpus, 'cpu'])}",
            hint="Leave --device out to take a GPU where there is one.",
        )
    if twice := [part for part, times in Counter(parts).items() if times > 1]:
        raise UsageError(f"--device {wanted} names {', '.join(twice)} twice")
    if "cpu" in parts and len(parts) > 1:
        raise UsageError(f"--device {wanted}: expected GPUs alone, or cpu alone")
    return ",".join(parts)


def process_count(device: str) -> int:
    """Processes that train together: one for each GPU."""
    return len(device.split(","))


def workers_of(device: str) -> int:
    """Processes that make samples for each process that trains.

    One where the net itself needs the cores; with a GPU the samples are what it waits for.
    """
    return 1 if device == "cpu" else max(1, usable_cores() // process_count(device) - 1)


def has_bfloat16(device: str) -> bool:
    """Whether all of its GPUs calculate in bfloat16; not the CPU, whose autocast does not."""
    import torch

    return device != "cpu" and all(
        torch.cuda.get_device_capability(int(number)) >= (8, 0) for number in device.split(",")
    )


def device_name(device: str) -> str:
    """The device in words, with no name of this machine in it."""
    import torch

    if device == "cpu":
        return f"CPU, {torch.get_num_threads()} threads"
    return ", ".join(str(torch.cuda.get_device_name(int(n))) for n in device.split(","))
