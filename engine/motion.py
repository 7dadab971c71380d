"""A camera that moves over a still, slowly, to a fraction of a pixel. Pure; frames are I420 planes.

Every frame is cut afresh out of the still and resampled (bicubic), so nothing adds up; the camera
begins and ends softly, and stands still during transitions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.planes import Frame, Plane, split
from engine.requests import MotionName
from engine.transitions import ease

_A_SECOND, _MOST = 0.03, 0.12
"""How much closer the camera comes, of the width."""


@dataclass(frozen=True)
class View:
    """What the camera sees: a part of the still in its aspect, `zoom` times enlarged.

    `x` and `y` tell where that part is, 0 for the left or top edge to 1 for the other.
    """

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


def reach(hold_s: float) -> float:
    """How much a camera moves while a scene is held so many seconds: slow however long."""
    return min(_MOST, _A_SECOND * hold_s)


MOTIONS: Mapping[MotionName, Callable[[float, float], View]] = {
    "none": lambda way, reach: View(),
    "zoom_in": lambda way, reach: View(1 + reach * way),
    "zoom_out": lambda way, reach: View(1 + reach * (1 - way)),
    "pan_right": lambda way, reach: View(1 + reach, x=way),
    "pan_left": lambda way, reach: View(1 + reach, x=1 - way),
}


def see(still: Frame, motion: MotionName, way: float, reach: float) -> Frame:
    """What is seen of a still after so much of the way, 0 to 1; the still itself where all is."""
    view = MOTIONS[motion](ease(way), reach)
    if view.zoom == 1:
        return still
    frame = np.empty_like(still)
    planes = zip(split(frame), split(still), (0.0, 0.25, 0.25), strict=True)
    for seen, plane, siting in planes:
        seen[:] = _resample(plane, view, siting)
    return frame


def _resample(plane: Plane, view: View, siting: float) -> Plane:
    """Enlarge the view; samples stand `siting` of their distance left of the middle."""
    height, width = plane.shape
    wide, high = width / view.zoom, height / view.zoom
    left = min(view.x * (width - wide) + siting * (1 - 1 / view.zoom), width - wide)
    top = view.y * (height - high)
    box = (left, top, left + wide, top + high)
    seen = Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC, box)
    return np.asarray(seen)
