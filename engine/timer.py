"""One thread that does things when their time has come. Knows no work."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 3600.0


class Timer:
    """Calls functions at given times, one after the other. Starts its thread when needed."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call `call` so many seconds from now, whatever the clock on the wall does."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Call nothing more, and wait for a call under way. Idempotent."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                logger.exception("what was to be done in time failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                if not self._due:
                    self._changed.wait()
                    continue
                wait_s = self._due[0][0] - time.monotonic()
                if wait_s <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(min(wait_s, _LONGEST_WAIT_S))
            return None


class Later:
    """Calls a function a while after it was asked to, once for all who asked. Thread-safe."""

    def __init__(self, timer: Timer, call: Callable[[], object], *, wait_s: float) -> None:
        self._timer = timer
        self._call = call
        self._wait_s = wait_s
        self._is_due = False
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Have it called on the timer's thread, at the latest `wait_s` from now."""
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._timer.after(self._wait_s, self._run)

    def _run(self) -> None:
        with self._lock:
            self._is_due = False  # who asks from here on needs another call
        self._call()
