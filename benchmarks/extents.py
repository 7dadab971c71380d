"""How much is measured: in full, or as little as shows that a benchmark runs.

`BENCH_SMOKE=1`, which `--smoke` sets, picks the small extents; `BENCH_ROUNDS` and the like name
one, whichever the rest are.
"""

import os
from typing import TypeVar

Number = TypeVar("Number", int, float)


def is_smoke() -> bool:
    """Whether the small extents were asked for."""
    return os.environ.get("BENCH_SMOKE") == "1"


def extent(name: str, full: Number, smoke: Number) -> Number:
    """The extent called `name`: as `BENCH_NAME` says, else `full`, or `smoke` in a smoke run."""
    told = os.environ.get(f"BENCH_{name.upper()}")
    if told is not None:
        return type(full)(told)
    return smoke if is_smoke() else full
