"""When jobs on one device begin and end. Pure arithmetic; the only clock is its own."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A job, as far as its time goes.

    Attributes:
        pictures: how many it still draws; so many at most share a pass.
        device_s: seconds of the device for all of them, told how many pictures share its passes.
        after_s: what follows without the device.
    """

    pictures: int
    device_s: Callable[[int], float]
    after_s: float = 0.0

    @classmethod
    def lasting(cls, pictures: int, seconds: float) -> "Entry":
        """One that takes so much of the device, however many share it."""
        return cls(pictures, lambda together: seconds)


@dataclass(frozen=True)
class Span:
    """From when to when a job is made, in seconds from now."""

    begin_s: float
    end_s: float


def plan_spans(
    under_way: Sequence[Entry], waiting: Sequence[Entry], *, most_rows: int = 1
) -> list[Span]:
    """Tell the spans of those under way, then of those that wait, in their order.

    At most `most_rows` jobs are made at a time, and as many pictures share a pass. Each job has
    the part of the device that its pictures are of all pictures being drawn.
    """
    entries = [*under_way, *waiting]
    begin_s, end_s = [0.0] * len(entries), [0.0] * len(entries)
    left = dict.fromkeys(range(len(under_way)), 1.0)
    line = deque(range(len(under_way), len(entries)))
    now_s = 0.0
    while left or line:
        while line and len(left) < most_rows:
            begin_s[line[0]] = now_s
            left[line.popleft()] = 1.0
        rows = {number: min(max(1, entries[number].pictures), most_rows) for number in left}
        together = min(most_rows, sum(rows.values()))
        full_s = {
            number: entries[number].device_s(together) * sum(rows.values()) / rows[number]
            for number in left
        }
        passed_s = min(left[number] * full_s[number] for number in left)
        now_s += passed_s
        for number, part in list(left.items()):
            if part * full_s[number] <= passed_s:
                del left[number]
                end_s[number] = now_s + entries[number].after_s
            else:
                left[number] = part - passed_s / full_s[number]
    return [Span(*span) for span in zip(begin_s, end_s, strict=True)]
