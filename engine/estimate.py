"""How long work takes on this machine, learned from the work itself.

Until something was measured, a guided scene of 25 steps at 512×512 counts as 5 seconds.
"""

import statistics
import threading
from collections import defaultdict, deque
from typing import Literal

Work = Literal["step", "decode", "still", "frame", "moving frame"]

_REFERENCE_PIXELS = 512 * 512
_ASSUMED_S: dict[Work, float] = {"step": 5.0 / 25}
_KEPT = 25
_MOVING_COSTS = 4
"""Times a frame of a film in which the stills do not move; until that is measured."""


def frame_work(*, moving: bool) -> Work:
    """The kind of work that a frame is."""
    return "moving frame" if moving else "frame"


class Estimator:
    """Medians of recent measurements by kind of work and picture size. Thread-safe.

    Kinds: one denoising `step` (with guidance: the pair), one `decode` of latents, one `still`
    written to a file, one video `frame` encoded; a `moving frame` where the camera moves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[Work, dict[int, deque[float]]] = defaultdict(dict)

    def observe(self, work: Work, pixels: int, seconds: float) -> None:
        """Record that one unit of `work` at this size took so long."""
        with self._lock:
            sizes = self._seconds[work]
            # Taken out and put back, so that the size measured last stands last.
            sizes[pixels] = sizes.pop(pixels, deque(maxlen=_KEPT))
            sizes[pixels].append(seconds)

    def knows(self, work: Work) -> bool:
        """Tell whether this kind of work was ever measured."""
        with self._lock:
            return bool(self._seconds[work])

    def unit_s(self, work: Work, pixels: int) -> float:
        """Seconds one unit takes: measured at this size, else scaled from the nearest size."""
        with self._lock:
            sizes = self._seconds[work]
            if not sizes:
                return _ASSUMED_S.get(work, 0.0) * pixels / _REFERENCE_PIXELS
            nearest = min(sizes, key=lambda size: abs(size - pixels))
            return statistics.median(sizes[nearest]) * pixels / nearest

    def image_s(self, steps: int, pixels: int, guided: bool = True) -> float:
        """Seconds for one picture of `steps` steps, generated at `pixels` pixels."""
        step_s = self.unit_s("step", pixels) * (1.0 if guided else 0.5)
        return steps * step_s + self.unit_s("decode", pixels) + self.unit_s("still", pixels)

    def frames_s(self, frames: int, pixels: int, *, moving: bool = False) -> float:
        """Seconds to encode so many video frames."""
        if moving and not self.knows("moving frame"):
            return frames * _MOVING_COSTS * self.unit_s("frame", pixels)
        return frames * self.unit_s(frame_work(moving=moving), pixels)

    def measured(self) -> dict[str, float]:
        """Median seconds a unit at the size measured last, by kind of work; for display."""
        with self._lock:
            return {
                work: statistics.median(list(sizes.values())[-1])
                for work, sizes in self._seconds.items()
                if sizes
            }
