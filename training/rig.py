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
        lean: How far it leans to the right, in units for each unit of height.
        hem: How low a robe or dress may hang so that the legs stay in sight.
    """

    left_leg: tuple[Point, ...]
    right_leg: tuple[Point, ...]
    left_arm: tuple[Point, ...]
    right_arm: tuple[Point, ...]
    lift: float = 0.0
    lean: float = 0.0
    hem: float = 0.0

    @property
    def arms_up(self) -> bool:
        """Whether both hands are above the head."""
        return self.right_arm[-1][1] > 200


_LEFT_DOWN: tuple[Point, ...] = ((-46, 176), (-66, 136), (-68, 98))
_RIGHT_DOWN: tuple[Point, ...] = ((46, 176), (66, 136), (68, 98))
_LEFT_UP: tuple[Point, ...] = ((-44, 176), (-84, 206), (-92, 262))
_RIGHT_UP: tuple[Point, ...] = ((44, 176), (84, 206), (92, 262))

POSES: dict[str, Pose] = {
    "standing": Pose(((-21, 90), (-23, 8)), ((21, 90), (23, 8)), _LEFT_DOWN, _RIGHT_DOWN, hem=14),
    "walking": Pose(
        ((-14, 90), (-36, 54), (-66, 16)),
        ((14, 90), (44, 54), (62, 8)),
        ((-46, 176), (-78, 144), (-96, 112)),
        ((46, 176), (66, 138), (96, 126)),
        lean=0.04,
        hem=34,
    ),
    "running": Pose(
        ((-12, 92), (-44, 58), (-104, 66)),
        ((12, 92), (66, 86), (74, 22)),
        ((-46, 176), (-96, 160), (-100, 106)),
        ((46, 176), (88, 136), (124, 182)),
        lift=8,
        lean=0.14,
        hem=58,
    ),
    "sitting": Pose(
        ((-26, 84), (-50, 84), (-52, 40)),
        ((26, 84), (50, 84), (52, 40)),
        ((-46, 176), (-72, 134), (-52, 96)),
        ((46, 176), (72, 134), (52, 96)),
        lift=-32,
        hem=60,
    ),
    "jumping": Pose(
        ((-18, 90), (-62, 70), (-44, 26)),
        ((18, 90), (66, 76), (88, 38)),
        _LEFT_UP,
        _RIGHT_UP,
        lift=56,
        hem=54,
    ),
    "celebrating": Pose(((-22, 90), (-34, 8)), ((22, 90), (34, 8)), _LEFT_UP, _RIGHT_UP, hem=14),
}


class Rig:
    """Paints in figure units: x to the right of the body's axis, y above the feet."""

    def __init__(
        self, canvas: Canvas, x: float, base: float, scale: float, flip: bool, lean: float = 0.0
    ) -> None:
        self._canvas, self._x, self._base, self._lean = canvas, x, base, lean
        self._scale, self._side = scale, -1.0 if flip else 1.0

    def grown(self, y: float, factor: float) -> Rig:
        """Return a rig that draws larger by `factor` around the height `y` of the axis."""
        x, base = self.at(-y * factor * self._lean, y)
        base += y * factor * self._scale
        flip = self._side < 0
        return Rig(self._canvas, x, base, self._scale * factor, flip, self._lean)

    def at(self, x: float, y: float) -> Point:
        """Return the canvas point of a figure point."""
        across = self._side * (x + self._lean * y)
        return self._x + across * self._scale, self._base - y * self._scale

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
        """Fill an upright rounded rectangle, `top` above `low`."""
        slip = self._lean * (top - low) / 2
        (x0, y0), (x1, y1) = self.at(left - slip, top), self.at(right + slip, low)
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self._canvas.rectangle(*box, fill, radius * self._scale)

    def smile(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Draw a smiling mouth around (x, y)."""
        cx, cy = self.at(x, y)
        self._canvas.arc(cx, cy, rx * self._scale, ry * self._scale, 20, 160, fill)

    def ring(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Draw the outline of an ellipse around (x, y)."""
        cx, cy = self.at(x, y)
        self._canvas.arc(cx, cy, rx * self._scale, ry * self._scale, 0, 360, fill)
