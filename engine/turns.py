"""Turns of what must not run at the same time. For any threads."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_S = 0.02


class Turns:
    """A lock that is had in the order in which it was asked for.

    A plain lock may come back to the thread that has just released it, for ever.
    """

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, meanwhile: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Wait for a turn; it lasts as long as the context.

        Args:
            meanwhile: called again and again during the wait; what it raises ends that.
        """
        ticket = object()
        with self._changed:
            self._line.append(ticket)
        try:
            while not self._comes(ticket):
                meanwhile()
            yield
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _comes(self, ticket: object) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._line[0] is ticket, _LOOK_S)
