"""How much is measured: in full, or as little as shows that a benchmark runs.

`BENCH_SMOKE=1`, which `--smoke` sets, picks the small extents; `BENCH_ROUNDS` and the like name
one, whichever the rest are.
"""

import os
from typing import TypeVar

Number = TypeVar("Number", int, float)

_PREFIX = "BENCH_"
_SAME_WORK = {"rounds", "window_s", "polls", "loads", "tiny_sd"}
"""What may be told without making the work itself smaller or larger."""


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
    names = [name for name in os.environ if name.startswith(_PREFIX)]
    return {name.removeprefix(_PREFIX).lower(): os.environ[name] for name in sorted(names)}


def is_full() -> bool:
    """Whether the work is the whole of it, so that the targets may be judged."""
    return not (is_smoke() or set(told_extents()) - _SAME_WORK)
