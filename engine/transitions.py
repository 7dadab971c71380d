"""From one still to the next: what stands between two scenes. Pure; frames are I420 planes.

Each takes two frames of one shape and a number T, and yields T frames; at k of T it has come
(k + 1) / (T + 1) of the way, so that neither still is shown once more.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.planes import BLACK, GREY, Frame, luma, mix, split, weigh
from engine.requests import TransitionName

Transition = Callable[[Frame, Frame, int], Iterator[Frame]]

_SOFT_EDGE = 0.12
"""Of the width: over so much a wipe goes from one scene to the other."""
_SOFT_LEVELS = 0.5
"""Of the range of luma: over so much a dissolve does."""


def ease(way: float) -> float:
    """Begin and end softly: 0 to 1 with no speed at either end (3t² - 2t³)."""
    return way * way * (3 - 2 * way)


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
    """One fades into the other; frame k of T has alpha (k + 1) / (T + 1)."""
    for step in range(1, frames + 1):
        yield blend(first, second, step, frames + 1)


def fade_through_black(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """The first fades to black, and out of that the second comes."""
    black = np.empty_like(first)
    y, cb, cr = split(black)
    y[:], cb[:], cr[:] = BLACK, GREY, GREY
    steps = frames + 1
    for step in range(1, steps):
        if 2 * step <= steps:
            yield blend(first, black, 2 * step, steps)
        else:
            yield blend(black, second, 2 * step - steps, steps)


def wipe(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """A soft edge goes from left to right, the second behind it."""
    height, width = luma(first).shape
    places = (np.arange(width, dtype=np.float32) + 0.5) / width
    order = np.broadcast_to(places, (height, width))
    yield from _reveal(first, second, order, _SOFT_EDGE, [ease(way) for way in _ways(frames)])


def dissolve(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """The second comes through the dark parts of the first, then through the bright ones."""
    levels = luma(first).astype(np.float32)
    darkest, range_ = levels.min(), max(1.0, np.ptp(levels))
    yield from _reveal(first, second, (levels - darkest) / range_, _SOFT_LEVELS, _ways(frames))


def slide(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """The second pushes the first out to the left, to a fraction of a pixel."""
    both = [
        np.concatenate([*pair, pair[1][:, -1:]], axis=1)
        for pair in zip(split(first), split(second), strict=True)
    ]
    for way in _ways(frames):
        frame = np.empty_like(first)
        for plane, wide in zip(split(frame), both, strict=True):
            plane[:] = _window(wide, ease(way) * plane.shape[1], plane.shape[1])
        yield frame


def cut(first: Frame, second: Frame, frames: int) -> Iterator[Frame]:
    """Nothing stands between them."""
    yield from ()


TRANSITIONS: Mapping[TransitionName, Transition] = {
    "crossfade": crossfade,
    "cut": cut,
    "fade_through_black": fade_through_black,
    "wipe": wipe,
    "slide": slide,
    "dissolve": dissolve,
}


def _ways(frames: int) -> list[float]:
    return [step / (frames + 1) for step in range(1, frames + 1)]


def _reveal(
    first: Frame, second: Frame, order: NDArray[np.float32], soft: float, ways: list[float]
) -> Iterator[Frame]:
    """Show the second where `order` (height, width), 0 to 1, is passed, over `soft` of it."""
    for way in ways:
        weights = ((np.float32(way * (1 + soft)) - order) / np.float32(soft)).clip(0, 1)
        yield mix(first, second, weigh(weights))


def _window(plane: Frame, offset: float, width: int) -> Frame:
    """Columns of a plane from an offset between columns on."""
    whole = int(offset)
    near = plane[:, whole : whole + width].astype(np.float32)
    near += (plane[:, whole + 1 : whole + 1 + width] - near) * np.float32(offset - whole)
    return np.rint(near).astype(np.uint8)
