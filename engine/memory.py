"""The memory of the device: what torch holds of it, and what to do when it runs out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from engine.errors import DeviceOutOfMemory

logger = logging.getLogger(__name__)


def held_bytes(device: torch.device) -> int | None:
    """Memory that torch holds on a device; None where it is the machine's own."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else None


def run_within(
    device: torch.device, run: Callable[[int], Tensor], batch: int
) -> tuple[Tensor, int]:
    """Run with so many rows at once; where the memory runs out, with half as many, down to one.

    Args:
        run: computes all rows, at most so many at once; may be called again after it failed.

    Returns:
        What `run` returned, and how many rows at once the memory took.

    Raises:
        RuntimeError, MemoryError: what `run` raised, out of memory with a single row included.
    """
    while True:
        try:
            return run(batch), batch
        except (RuntimeError, MemoryError) as err:
            if batch == 1 or not _is_out_of_memory(err):
                raise
        # Not before the error is gone: its frames hold the tensors that filled the memory.
        batch //= 2
        _empty_cache(device)
        logger.warning("out of memory on %s: going on with %d row(s) at once", device, batch)


@contextmanager
def telling_out_of_memory(device: torch.device) -> Iterator[None]:
    """Turn whatever the libraries raise into one error, the cache emptied.

    Raises:
        DeviceOutOfMemory: the work did not fit.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as err:
        if not _is_out_of_memory(err):
            raise
        _empty_cache(device)
        raise DeviceOutOfMemory(
            f"A picture of this size does not fit the memory of the {device.type} device."
        ) from err


def _empty_cache(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _is_out_of_memory(err: Exception) -> bool:
    text = str(err).lower()
    return isinstance(err, torch.OutOfMemoryError | MemoryError) or any(
        sign in text for sign in ("out of memory", "can't allocate memory", "not enough memory")
    )
