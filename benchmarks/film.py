"""How fast transitions and a moving camera are rendered, against the encoder's own speed.

Frames a second, one after the other in one thread as in a video; the encoder gets the frames of
a crossfade between moving pictures made beforehand. Rendering must not be the slower half.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from benchmarks.encoder import drawing
from benchmarks.extents import extent
from engine.frames import Shot, story_frames
from engine.planes import Frame, to_i420
from engine.requests import MotionName, TransitionName
from engine.transitions import TRANSITIONS
from engine.video import VideoFormat, write_mp4

SIDES, FRAMES, FPS = (512, 1024), extent("frames", 72, 4), 24
ROUNDS = extent("rounds", 5, 1)


def measure() -> dict[str, Any]:
    """Time every transition, every motion and the encoder in turn, at each size."""
    return {f"{side}x{side}": _measure_size(side) for side in SIDES}


def _measure_size(side: int) -> dict[str, Any]:
    stills = [to_i420(drawing(seed, side)) for seed in range(2)]
    encoded = [*_moving(stills[0], "zoom_in"), *TRANSITIONS["crossfade"](*stills, FRAMES)]
    works: dict[str, Callable[[], int]] = {"encoder": lambda: _encode(encoded, side)}
    for name in get_args(TransitionName):
        if name != "cut":
            works[name] = lambda name=name: _count(TRANSITIONS[name](*stills, FRAMES))  # type: ignore[misc]
    for name in get_args(MotionName):
        if name != "none":
            works[name] = lambda name=name: _count(_moving(stills[0], name))  # type: ignore[misc]
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            frames = work()
            rates[name].append(frames / (time.perf_counter() - start))
    encoder = statistics.median(rates["encoder"])
    return {
        name: {
            "frames_per_s": round(statistics.median(found)),
            "spread": [round(min(found)), round(max(found))],
            "times_the_encoder": round(statistics.median(found) / encoder, 2),
        }
        for name, found in rates.items()
    }


def _moving(still: Frame, motion: MotionName) -> Iterator[Frame]:
    return story_frames([Shot(still, FRAMES, FPS, motion)], TRANSITIONS["cut"], 0)


def _count(frames: Iterator[Frame]) -> int:
    return sum(1 for _ in frames)


def _encode(frames: list[Frame], side: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        write_mp4(Path(folder) / "film.mp4", iter(frames), VideoFormat(side, side, FPS, ""))
    return len(frames)
