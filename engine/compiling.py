"""Compiling on a thread of its own, while other threads compute with the same model.

Torch's compiler works for the whole process as if nobody else were there. What it does to others
is kept off them here.
"""

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.fx import _symbolic_trace as fx
from torch.nn import Module

_TURN_S = 5e-5
"""How long a thread may keep the interpreter from others while one compiles."""
_ORDINARY = {
    "__call__": Module.__call__,
    "__getattr__": Module.__getattr__,
}


@contextmanager
def aside() -> Iterator[None]:
    """While this thread compiles, others have the interpreter soon, and modules of their own."""
    with _taking_short_turns(), _tracing_here_alone():
        yield


@contextmanager
def _taking_short_turns() -> Iterator[None]:
    """Let other threads have the interpreter soon.

    Compiling is work in Python, and others would wait their turn at every call of the model's
    thousands: one pass took fifty times as long.
    """
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


@contextmanager
def _tracing_here_alone() -> Iterator[None]:
    """Leave modules as they are for other threads.

    While torch.fx traces a function, which the compiler has it do again and again, every module
    of the process is called by way of its tracer, on whichever thread: one that computed a picture
    just then failed with "module is not installed as a submodule".
    """
    usual = fx._Patcher.patch_method

    def patch(
        patcher: fx._Patcher,
        owner: type,
        name: str,
        tracing: Callable[..., Any],
        deduplicate: bool = True,
    ) -> None:
        if owner is Module:
            tracing = _on_this_thread(tracing, _ORDINARY[name])
        usual(patcher, owner, name, tracing, deduplicate)

    fx._Patcher.patch_method = patch  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        fx._Patcher.patch_method = usual  # type: ignore[method-assign]


def _on_this_thread(here: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    thread = threading.get_ident()

    @functools.wraps(here)
    def chosen(*args: Any, **named: Any) -> Any:
        return (here if threading.get_ident() == thread else elsewhere)(*args, **named)

    return chosen
