"""Where a figure's limbs are in each pose, in figure units with the feet at zero, y upwards."""

from __future__ import annotations

from dataclasses import dataclass

from training.canvas import Canvas, Point
from training.palette import Colour


@dataclass(frozen=True)
class Pose:
    """Limbs as strokes: hip to foot and shoulder to hand.

    Attributes:
        lift: How far the whole figure is raised (negative: lowered).
    """

    left_leg: tuple[Point, ...]
    right_leg: tuple[Point, ...]
    left_arm: tuple[Point, ...]
    right_arm: tuple[Point, ...]
    lift: float = 0.0


_LEFT_DOWN: tuple[Point, ...] = ((-46, 176), (-66, 136), (-68, 98))
_RIGHT_DOWN: tuple[Point, ...] = ((46, 176), (66, 136), (68, 98))
_LEFT_UP: tuple[Point, ...] = ((-44, 176), (-84, 206), (-92, 262))
_RIGHT_UP: tuple[Point, ...] = ((44, 176), (84, 206), (92, 262))

POSES: dict[str, Pose] = {
    "standing": Pose(((-22, 90), (-24, 8)), ((22, 90), (24, 8)), _LEFT_DOWN, _RIGHT_DOWN),
    "walking": Pose(
        ((-16, 90), (-34, 52), (-56, 12)),
        ((16, 90), (38, 52), (48, 8)),
        ((-46, 176), (-72, 140), (-60, 104)),
        ((46, 176), (80, 146), (92, 112)),
    ),
    "running": Pose(
        ((-14, 92), (-50, 66), (-98, 50)),
        ((14, 92), (60, 70), (64, 12)),
        ((-46, 176), (-86, 152), (-70, 112)),
        ((46, 176), (84, 144), (112, 176)),
        8,
    ),
    "sitting": Pose(
        ((-22, 80), (-54, 74), (-62, 40)),
        ((22, 80), (54, 74), (62, 40)),
        _LEFT_DOWN,
        _RIGHT_DOWN,
        -34,
    ),
    "jumping": Pose(
        ((-18, 90), (-56, 66), (-40, 24)), ((18, 90), (62, 70), (84, 34)), _LEFT_UP, _RIGHT_UP, 62
    ),
    "celebrating": Pose(((-22, 90), (-30, 8)), ((22, 90), (30, 8)), _LEFT_UP, _RIGHT_UP),
}


class Rig:
    """Paints in figure units: x to the right of the body's axis, y above the feet."""

    def __init__(self, canvas: Canvas, x: float, base: float, scale: float, flip: bool) -> None:
        self._canvas, self._x, self._base = canvas, x, base
        self._scale, self._side = scale, -1.0 if flip else 1.0

    def at(self, x: float, y: float) -> Point:
        """Return the canvas point of a figure point."""
        return self._x + self._side * x * self._scale, self._base - y * self._scale

    def polygon(self, points: tuple[Point, ...], fill: Colour) -> None:
        """Fill an outline."""
        self._canvas.polygon([self.at(x, y) for x, y in points], fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill an ellipse around (x, y)."""
        cx, cy = self.at(x, y)
        self._canvas.ellipse(cx, cy, rx * self._scale, ry * self._scale, fill)

    def line(self, points: tuple[Point, ...], width: float, fill: Colour) -> None:
        """Draw a stroke with round ends."""
        self._canvas.line([self.at(x, y) for x, y in points], width * self._scale, fill)

    def box(
        self, left: float, top: float, right: float, low: float, fill: Colour, radius: float = 8
    ) -> None:
        """Fill a rounded rectangle, `top` above `low`."""
        (x0, y0), (x1, y1) = self.at(left, top), self.at(right, low)
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self._canvas.rectangle(*box, fill, radius * self._scale)

    def smile(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Draw a smiling mouth around (x, y)."""
        cx, cy = self.at(x, y)
        self._canvas.arc(cx, cy, rx * self._scale, ry * self._scale, 20, 160, fill)
