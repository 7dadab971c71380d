"""How much is measured: in full, or as little as shows that a benchmark runs.

`BENCH_SMOKE=1`, which `--smoke` sets, picks the small extents; `BENCH_ROUNDS` and the like name
one, whichever the rest are.
"""

import os
from typing import TypeVar

Number = TypeVar("Number", int, float)

_PREFIX = "BENCH_"
_SAME_WORK = {"rounds", "window_s", "polls", "loads"}
"""What may be told without making the work itself smaller or larger."""
_PLACES = {"tiny_sd"}
"""No extents: folders of whoever measures."""


def is_smoke() -> bool:
    """Whether the small extents were asked for."""
    return os.environ.get(f"{_PREFIX}SMOKE") == "1"


def extent(name: str, full: Number, smoke: Number) -> Number:
    """The extent called `name`: as `BENCH_NAME` says, else `full`, or `smoke` in a smoke run."""
    told = os.environ.get(f"{_PREFIX}{name.upper()}")
    if told is not None:
        return type(full)(told)
    return smoke if is_smoke() else full


def told_extents() -> dict[str, str]:
    """The extents that were told, by name."""
    names = [name.removeprefix(_PREFIX) for name in os.environ if name.startswith(_PREFIX)]
    extents = sorted({name.lower() for name in names} - _PLACES)
    return {name: os.environ[_PREFIX + name.upper()] for name in extents}


def is_full() -> bool:
    """Whether the work is the whole of it, so that the targets may be judged."""
    return not (is_smoke() or set(told_extents()) - _SAME_WORK)
