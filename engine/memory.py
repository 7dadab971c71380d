"""The memory of the device: what torch holds of it, and what to do when it runs out."""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch

from engine.errors import DeviceOutOfMemory

logger = logging.getLogger(__name__)

T = TypeVar("T")
MOST_ROWS = 16
# Of the memory that is free; the rest is for the decoder and for what others take meanwhile.
_SHARE = 0.7
_ROOMY_BYTES = 64 * 10**9
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
"""What torch's allocators, and the last cuDNN and cuBLAS, say where there is none."""
_SHRUNK_S = 60.0
"""How long less is tried after the memory ran out, where there is work all the time."""
_CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux tells what a container may take, in the second and the first version of cgroups."""


class Room:
    """How many pictures may share a pass. Each is up to two rows of the U-Net, for its guidance.

    What a pass takes grows with its rows and with the cells of their latents, so one number of
    cells is remembered for all sizes.
    """

    def __init__(self, most: int = 1, cells: float = math.inf, *, useful: float = math.inf) -> None:
        """Allow at most so many pictures, and in their rows together so many cells of latents.

        Args:
            useful: cells of which a pass gains nothing by having more.
        """
        self.most = most
        self._useful = useful
        self._measured = self._cells = cells
        self._shrunk_at = -math.inf

    def pictures(self, cells: int) -> int:
        """How many pictures of so many cells may share a pass: a power of two."""
        fitting = max(1, min(self.most, self._allowed() / (2 * cells), self._useful / (2 * cells)))
        return int(2 ** math.floor(math.log2(fitting)))

    def rows(self, cells: int) -> int:
        """How many rows of so many cells the U-Net may take at once."""
        return int(max(1, min(2 * self.most, self._allowed() / cells)))

    def shrink(self, rows: int, cells: int) -> None:
        """Take note that no more than so many rows of so many cells fitted."""
        self._cells = min(self._cells, rows * cells)
        self._shrunk_at = time.monotonic()

    def recover(self) -> None:
        """Forget what did not fit: the memory may have been others'."""
        self._cells = self._measured

    def _allowed(self) -> float:
        if time.monotonic() - self._shrunk_at > _SHRUNK_S:
            self.recover()
        return self._cells


def measure_room(
    device: torch.device, run: Callable[[], object], cells: int, *, beside: int = 0
) -> Room:
    """Find out how much fits, from what the device has free and what one pass takes.

    Where the memory cannot be measured, pictures go one at a time; see `sharing.py` for a CPU.

    Args:
        run: a pass whose rows have so many `cells` together.
        beside: how many others may hold as much memory at the same time.
    """
    if device.type != "cuda":
        return Room()
    try:
        run()  # the libraries' own working memory is not to be counted
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        torch.cuda.synchronize(device)
    except (RuntimeError, MemoryError) as err:
        if not is_out_of_memory(err):
            raise
        _empty_cache(device)
        return Room()
    taken = max(1, torch.cuda.max_memory_allocated(device) - before)
    free, _ = torch.cuda.mem_get_info(device)
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    room = Room(MOST_ROWS, _SHARE * free / taken * cells / (1 + beside))
    logger.info("a pass takes %.0f MB of %.0f MB free", taken / 2**20, free / 2**20)
    return room


def needs_slicing(device: torch.device, memory_bytes: int) -> bool:
    """Whether attention is to be computed in slices on a machine with so much memory.

    That is diffusers' advice for MPS and less than 64 GB: that device's memory is the machine's.
    """
    return device.type == "mps" and memory_bytes < _ROOMY_BYTES


def machine_bytes() -> int:
    """The memory of the machine itself; of its container, if it is in one that has less."""
    told = [path.read_text().strip() for path in _CONTAINER_LIMITS if path.is_file()]
    limits = [int(limit) for limit in told if limit.isdigit()]  # "max" is none
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *limits])


def held_bytes(device: torch.device) -> int | None:
    """Memory that torch holds on a device; None where it is the machine's own."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return torch.mps.driver_allocated_memory() if device.type == "mps" else None


def run_within(
    device: torch.device,
    run: Callable[[int], T],
    batch: int,
    spare: Callable[[], bool] = lambda: False,
) -> tuple[T, int]:
    """Run with so many rows at once; where the memory runs out, with half as many, down to one.

    Args:
        run: computes all rows, at most so many at once; may be called again after it failed.
        spare: called first where the memory runs out; whether it made room.

    Returns:
        What `run` returned, and how many rows at once the memory took.

    Raises:
        RuntimeError, MemoryError: what `run` raised, out of memory with a single row included.
    """
    while True:
        try:
            return run(batch), batch
        except (RuntimeError, MemoryError) as err:
            if not is_out_of_memory(err):
                raise
            has_room = spare()
            if batch == 1 and not has_room:
                raise
        # Not before the error is gone: its frames hold the tensors that filled the memory.
        batch = batch if has_room else batch // 2
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
        if not is_out_of_memory(err):
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


def is_out_of_memory(err: Exception) -> bool:
    """Whether a library says, in its own way, that memory ran out."""
    text = str(err).lower()
    return isinstance(err, torch.OutOfMemoryError | MemoryError) or any(
        sign in text for sign in _NO_MEMORY
    )
