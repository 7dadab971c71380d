"""Which rows share the next pass. Pure: a row is anything that can be told from another."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

R = TypeVar("R", bound=Hashable)
S = TypeVar("S", bound=Hashable)


class Slots(Generic[R, S]):
    """Rows under way and rows that wait to join, by size. For one thread.

    Only rows of one size share a pass. Sizes take turns, pass by pass. Within a size, rows that
    have begun go on before others join; and those who wait take turns, one row each.
    """

    def __init__(self) -> None:
        self._lanes: OrderedDict[S, _Lane[R]] = OrderedDict()

    def add(self, row: R, size: S, turn: Hashable = None) -> None:
        """Let a row wait to join the others of its size.

        Args:
            turn: whose row it is; the rows of one keep their order.
        """
        self._lanes.setdefault(size, _Lane()).add(row, turn)

    def discard(self, row: R) -> None:
        """Remove a row, begun or not; fine if it is not here."""
        for size, lane in list(self._lanes.items()):
            if lane.discard(row) and not len(lane):
                del self._lanes[size]

    def choose(self, limit: Callable[[S], int]) -> list[R]:
        """The rows of the next pass: one at least if there is any, at most `limit` of its size."""
        if not self._lanes:
            return []
        size, lane = next(iter(self._lanes.items()))
        self._lanes.move_to_end(size)
        return lane.choose(max(1, limit(size)))

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def __iter__(self) -> Iterator[R]:
        for lane in self._lanes.values():
            yield from lane


class _Lane(Generic[R]):
    """The rows of one size."""

    def __init__(self) -> None:
        self._begun: list[R] = []
        self._waiting: OrderedDict[Hashable, deque[R]] = OrderedDict()

    def add(self, row: R, turn: Hashable) -> None:
        self._waiting.setdefault(turn, deque()).append(row)

    def discard(self, row: R) -> bool:
        if row in self._begun:
            self._begun.remove(row)
            return True
        for turn, rows in self._waiting.items():
            if row in rows:
                rows.remove(row)
                if not rows:
                    del self._waiting[turn]
                return True
        return False

    def choose(self, limit: int) -> list[R]:
        while self._waiting and len(self._begun) < limit:
            turn, rows = self._waiting.popitem(last=False)
            self._begun.append(rows.popleft())
            if rows:
                self._waiting[turn] = rows  # at the end: the others come first
        return self._begun[:limit]

    def __len__(self) -> int:
        return len(self._begun) + sum(map(len, self._waiting.values()))

    def __iter__(self) -> Iterator[R]:
        yield from self._begun
        for rows in self._waiting.values():
            yield from rows
