"""Draws ahead in worker processes, so that the networks never wait for pictures."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD_PER_WORKER = 3


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process when the one that asked for work was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def work_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result]:
    """Yield `function(item)` for each item in order, computed ahead by that many processes.

    Args:
        workers: Processes; with 0 everything is computed here, when it is asked for.
    """
    if workers == 0:
        yield from map(function, items)
        return
    rest = iter(items)
    pending: deque[Future[Result]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_prepare_worker) as pool:
        pending.extend(pool.submit(function, x) for x in islice(rest, AHEAD_PER_WORKER * workers))
        try:
            while pending:
                result = pending.popleft().result()
                pending.extend(pool.submit(function, x) for x in islice(rest, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()
