"""How far a process grew: the peak of its memory from one moment to another. Linux only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc/self")
_LOOK_EVERY_S = 0.1
_RESET_PEAK = "5"  # proc(5), clear_refs


def start_peak() -> float:
    """Begin a new peak at what the process holds now, in megabytes; returns that."""
    (_PROC / "clear_refs").write_text(_RESET_PEAK, "ascii")
    return peak_mb()


def peak_mb() -> float:
    """The most megabytes that were resident at once since the peak began."""
    return _peak_mb(_PROC)


@contextmanager
def watching_children() -> Iterator[list[float]]:
    """Give a list that grows by the peak so far, in megabytes, of each child at each look.

    What the system itself adds up for children counts what they were before they became ffmpeg.
    """
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_LOOK_EVERY_S):
            for listed in _PROC.glob("task/*/children"):
                try:
                    children = listed.read_text("ascii").split()
                    seen.extend(_peak_mb(Path("/proc") / child) for child in children)
                except (OSError, RuntimeError):  # it ended while we looked
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _peak_mb(process: Path) -> float:
    for line in (process / "status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this process does not tell a peak")
