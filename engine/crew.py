"""Threads that write files beside the drawing."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from engine.jobs import CancelToken

_AHEAD = 8
_LOOK_S = 0.1


class Crew:
    """Takes work up to a number of pieces: drawing must not outrun it, or pictures pile up."""

    def __init__(self, name: str, threads: int, places: int = _AHEAD) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.Semaphore(places)

    def take(self, work: Callable[[], Any], token: CancelToken) -> "Future[Any]":
        """Have work done, as soon as there is a place for it.

        Raises:
            EngineError: the reason `token` was set with, before there was one.
        """
        while not self._places.acquire(timeout=_LOOK_S):
            token.check()
        return self._begin(work)

    def take_if_free(self, work: Callable[[], Any]) -> "Future[Any] | None":
        """Have work done if there is a place for it now; None if there is not."""
        return self._begin(work) if self._places.acquire(blocking=False) else None

    def shutdown(self, *, wait: bool) -> None:
        """Begin nothing more; with `wait`, return when all threads have ended."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _begin(self, work: Callable[[], Any]) -> "Future[Any]":
        try:
            future = self._pool.submit(work)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return future
