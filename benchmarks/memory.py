"""How far a process grew: the peak of its memory from one moment to another. Linux only."""

from pathlib import Path

_PROC = Path("/proc/self")
_RESET_PEAK = "5"  # proc(5), clear_refs


def start_peak() -> float:
    """Begin a new peak at what the process holds now, in megabytes; returns that."""
    (_PROC / "clear_refs").write_text(_RESET_PEAK, "ascii")
    return peak_mb()


def peak_mb() -> float:
    """The most megabytes that were resident at once since the peak began."""
    for line in (_PROC / "status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this system does not tell a peak")
