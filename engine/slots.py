"""Which rows share the next pass. Pure: a row is anything that can be told from another."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

R = TypeVar("R", bound=Hashable)
S = TypeVar("S", bound=Hashable)


class Slots(Generic[R, S]):
    """Rows under way and rows that wait to join, by size. For one thread.

    Only rows of one size share a pass. Sizes take turns: the one whose rows have been done the
    least work is next. Within a size, rows that have begun go on before others join; and those
    who wait take turns, one row each.
    """

    def __init__(self) -> None:
        self._lanes: OrderedDict[S, _Lane[R]] = OrderedDict()

    def add(self, row: R, size: S, turn: Hashable = None) -> None:
        """Let a row wait to join the others of its size.

        Args:
            turn: whose row it is; the rows of one keep their order.
        """
        if size not in self._lanes:
            latest = max((lane.work for lane in self._lanes.values()), default=0.0)
            self._lanes[size] = _Lane(latest)
        self._lanes[size].add(row, turn)

    def discard(self, row: R) -> None:
        """Remove a row, begun or not; fine if it is not here."""
        for size, lane in list(self._lanes.items()):
            if lane.discard(row) and not len(lane):
                del self._lanes[size]

    def choose(
        self, limit: Callable[[S], int], work: Callable[[S, int], float] = lambda size, rows: 1.0
    ) -> list[R]:
        """The rows of the next pass: one at least if there is any.

        Args:
            limit: how many rows of a size may share a pass.
            work: what a pass of so many rows of a size takes, in any unit.
        """
        if not self._lanes:
            return []
        size = min(self._lanes, key=lambda size: self._lanes[size].work)
        lane = self._lanes[size]
        self._lanes.move_to_end(size)
        rows = lane.choose(max(1, limit(size)))
        lane.work += work(size, len(rows))
        return rows

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def __iter__(self) -> Iterator[R]:
        for lane in self._lanes.values():
            yield from lane


class _Lane(Generic[R]):
    """The rows of one size, and how much work has been done for it."""

    def __init__(self, work: float) -> None:
        self.work = work
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
