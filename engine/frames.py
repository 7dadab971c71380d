"""Stills into video frames: holds and transitions. Pure; nothing here keeps more than two stills.

A frame is any uint8 array; the blend is linear, so it may be made in RGB or in YUV alike.
"""

from collections.abc import Iterable, Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


def blend(first: Frame, second: Frame, step: int, steps: int) -> Frame:
    """Mix two frames of one shape: `second` has the weight `step / steps`, rounded to nearest.

    Exact in 16-bit integers for `steps` up to 255.
    """
    mixed = first.astype(np.uint16)
    mixed *= np.uint16(steps - step)
    mixed += second.astype(np.uint16) * np.uint16(step)
    mixed += np.uint16(steps // 2)
    mixed //= np.uint16(steps)
    return mixed.astype(np.uint8)


def crossfade(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """Yield `frames` frames between two stills; frame k of T has alpha (k + 1) / (T + 1)."""
    for index in range(frames):
        yield blend(first, second, index + 1, frames + 1)


def story_frames(
    stills: Iterable[Frame], frames_per_scene: int, transition_frames: int
) -> Iterator[Frame]:
    """Yield every frame of a story: each still held, a crossfade between neighbours.

    A held frame is the same array each time, so a consumer can tell that nothing changed.
    """
    previous: Frame | None = None
    for still in stills:
        if previous is not None:
            yield from crossfade(previous, still, transition_frames)
        yield from repeat(still, frames_per_scene)
        previous = still
