"""How long work takes on this machine, learned from the work itself.

Until something was measured, a guided scene of 25 steps at 512×512 counts as 5 seconds.
"""

import statistics
import threading
from bisect import bisect_left
from collections import defaultdict, deque
from typing import Literal

from engine.requests import VideoRequest

File = Literal["png", "webp", "jpeg"]
Work = Literal["step", "decode", "rest", "frame", "moving frame", "film"] | File

_KEPT, _SIZES = 25, 100
_ASSUMED_S: dict[Work, float] = {"step": 5.0 / 25 / (2 * 512 * 512)}
"""Seconds a pixel, until the kind of work was measured. A guided picture has two rows."""
_CHANGING = 4.0
"""What it takes to encode a frame unlike the one before it, against one that is held."""
_ALIKE: dict[Work, tuple[Work, float]] = {
    "moving frame": ("frame", _CHANGING),
    "webp": ("png", 0.7),
    "jpeg": ("png", 0.1),
}
"""Until a kind of work was measured: another that is like it, and how many times that it takes."""


def frame_work(request: VideoRequest) -> tuple[Work, float]:
    """The kind of work that the frames of a film are, and how many units of it."""
    if request.moves:
        return "moving frame", request.total_frames
    changing = (len(request.scenes) - 1) * request.frames_between
    return "frame", request.total_frames + (_CHANGING - 1) * changing


class Estimator:
    """Medians of recent measurements by kind of work and size in pixels. Thread-safe.

    Kinds: one denoising `step` of all rows that share it, its size being theirs together; one
    `decode` of latents; the `rest` of drawing a picture, such as its prompts; one picture written
    to a `png`, `webp` or `jpeg`; one held `frame` of a film encoded, or a `moving frame` where the
    camera moves; what a `film` takes beyond them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[Work, dict[int, deque[float]]] = defaultdict(dict)
        self._medians: dict[Work, dict[int, float]] = defaultdict(dict)

    def observe(self, work: Work, pixels: int, seconds: float) -> None:
        """Record that one unit of `work` of this size took so long."""
        with self._lock:
            sizes = self._seconds[work]
            # Taken out and put back, so that the size measured last stands last.
            sizes[pixels] = sizes.pop(pixels, deque(maxlen=_KEPT))
            sizes[pixels].append(seconds)
            self._medians[work][pixels] = statistics.median(sizes[pixels])
            if len(sizes) > _SIZES:
                oldest = next(iter(sizes))
                del sizes[oldest], self._medians[work][oldest]

    def knows(self, work: Work) -> bool:
        """Tell whether this kind of work was ever measured."""
        with self._lock:
            return bool(self._medians[work])

    def unit_s(self, work: Work, pixels: int) -> float:
        """Seconds one unit takes: measured at this size, else told from the nearest sizes.

        Between two sizes on the line that joins them, beyond them in proportion.
        """
        with self._lock:
            known = self._medians[work]
            if pixels in known:
                return known[pixels]
            sizes = sorted(known)
            place = bisect_left(sizes, pixels)
            if 0 < place < len(sizes):
                low, high = sizes[place - 1], sizes[place]
                way = (pixels - low) / (high - low)
                return known[low] * (1 - way) + known[high] * way
            if sizes:
                nearest = sizes[min(place, len(sizes) - 1)]
                return known[nearest] * pixels / nearest
        like, times = _ALIKE.get(work, (None, 0.0))
        if like is not None:
            return times * self.unit_s(like, pixels)
        return _ASSUMED_S.get(work, 0.0) * pixels

    def picture_s(
        self, steps: int, pixels: int, *, guided: bool = True, together: int = 1
    ) -> float:
        """Seconds of the device for a picture of `steps` steps, drawn at `pixels` pixels.

        Args:
            together: how many such pictures share its passes; it takes its part of each.
        """
        rows = (2 if guided else 1) * together
        step_s = self.unit_s("step", rows * pixels) / together
        return steps * step_s + self.unit_s("decode", pixels)

    def around_s(self, file: File, pixels: int) -> float:
        """Seconds for what is around the steps and the decoding of a picture of that size."""
        return self.unit_s("rest", pixels) + self.unit_s(file, pixels)

    def film_s(self, request: VideoRequest) -> float:
        """Seconds for a film of stills that are there."""
        (work, units), pixels = frame_work(request), request.width * request.height
        return units * self.unit_s(work, pixels) + self.unit_s("film", pixels)

    def measured(self) -> dict[str, float]:
        """Median seconds a unit at the size measured last, by kind of work; for display."""
        with self._lock:
            return {
                work: self._medians[work][list(sizes)[-1]]
                for work, sizes in self._seconds.items()
                if sizes
            }
