"""Draws ahead in worker processes, so that the networks never wait for pictures."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Generic, TypeVar

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


class Ahead(Generic[Item, Result]):
    """Results of `function(item)` for each item in order, computed ahead by worker processes."""

    def __init__(
        self, function: Callable[[Item], Result], items: Iterable[Item], workers: int
    ) -> None:
        """Begin.

        Args:
            workers: Processes; with 0 everything is computed here, when it is asked for.
        """
        self._function, self._rest = function, iter(items)
        self._pool: ProcessPoolExecutor | None = None
        self._pending: deque[Future[Result]] = deque()
        if workers:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, context, initializer=_prepare_worker)
            self._submit(self._pool, AHEAD_PER_WORKER * workers)

    def __iter__(self) -> Iterator[Result]:
        return self

    def __next__(self) -> Result:
        if self._pool is None:
            return self._function(next(self._rest))
        if not self._pending:
            raise StopIteration
        result = self._pending.popleft().result()
        self._submit(self._pool, 1)
        return result

    @property
    def is_ready(self) -> bool:
        """Whether the next result is there already."""
        return bool(self._pending) and self._pending[0].done()

    def close(self) -> None:
        """Begin nothing more, and let the processes end."""
        for future in self._pending:
            future.cancel()
        if self._pool is not None:
            self._pool.shutdown()

    def _submit(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pending.extend(pool.submit(self._function, x) for x in islice(self._rest, count))


def work_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result]:
    """Yield the results of `Ahead`, and close it in the end."""
    with closing(Ahead(function, items, workers)) as ahead:
        yield from ahead
