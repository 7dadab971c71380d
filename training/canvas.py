"""A square to paint on: coordinates on a 512 grid, antialiased at any output size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.palette import Colour

GRID = 512
Point = tuple[float, float]


@lru_cache(maxsize=32)
def _soft_disc(strength: int, size: tuple[int, int]) -> Image.Image:
    """Return a mask that fades from `strength` (0 to 255) in the middle to nothing."""
    axis = np.linspace(-1.0, 1.0, 48)
    distance = np.hypot(axis[None, :], axis[:, None])
    mask = np.clip(1.6 * (1.0 - distance), 0.0, 1.0) * strength
    return Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


class Canvas:
    """Flat shapes drawn at twice the output size, then averaged down."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._scale = 2 * size / GRID
        self.image = Image.new("RGB", (2 * size, 2 * size))
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill a closed outline."""
        k = self._scale
        self._draw.polygon([(x * k, y * k) for x, y in points], fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill an upright ellipse around (x, y)."""
        k = self._scale
        self._draw.ellipse([(x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k], fill=fill)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0
    ) -> None:
        """Fill an upright rectangle, its corners rounded by `radius`."""
        k = self._scale
        box = [left * k, top * k, right * k, bottom * k]
        self._draw.rounded_rectangle(box, radius=radius * k, fill=fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Draw a stroke with round ends and joints."""
        k = self._scale
        self._draw.line([(x * k, y * k) for x, y in points], fill=fill, width=round(width * k))
        for x, y in points:
            self.ellipse(x, y, width / 2, width / 2, fill)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: Colour
    ) -> None:
        """Draw a thin part of an ellipse, clockwise from `start` to `end` degrees."""
        k = self._scale
        box = [(x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k]
        self._draw.arc(box, start, end, fill=fill, width=round(5 * k))

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour) -> None:
        """Fill the full width from `top` to `bottom`, shading from `first` to `last`."""
        rows = max(1, round((bottom - top) * self._scale))
        share = np.linspace(0.0, 1.0, rows)[:, None]
        shades = np.array(first) * (1 - share) + np.array(last) * share
        strip = Image.fromarray(shades.round().astype(np.uint8)[:, None, :])
        self.image.paste(
            strip.resize((self.image.width, rows), Image.Resampling.NEAREST),
            (0, round(top * self._scale)),
        )

    def hill(self, base: float, height: float, centre: float, width: float, fill: Colour) -> None:
        """Fill a rounded hill of that height whose foot is at `base`."""
        steps = [i / 24 for i in range(25)]
        outline = [
            (centre + (t - 0.5) * width, base - height * math.sin(math.pi * t)) for t in steps
        ]
        self.polygon([*outline, (centre + width / 2, GRID), (centre - width / 2, GRID)], fill)

    def stamp(
        self, picture: Image.Image, x: float, bottom: float, width: float, flip: bool = False
    ) -> None:
        """Paste an RGBA picture that wide, centred on x and standing on `bottom`."""
        k = self._scale
        pixels = max(1, round(width * k))
        height = max(1, round(pixels * picture.height / picture.width))
        sized = picture.resize((pixels, height), Image.Resampling.BICUBIC)
        if flip:
            sized = sized.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        self.image.paste(sized, (round(x * k - pixels / 2), round(bottom * k - height)), sized)

    def haze(self, x: float, y: float, rx: float, ry: float, fill: Colour, strength: float) -> None:
        """Lay a soft translucent ellipse over what is painted; `strength` 0 to 1 at its heart."""
        k = self._scale
        size = (max(1, round(2 * rx * k)), max(1, round(2 * ry * k)))
        veil = _soft_disc(round(255 * strength), size)
        self.image.paste(fill, (round((x - rx) * k), round((y - ry) * k)), veil)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the finished picture, uint8 of shape (size, size, 3)."""
        return np.asarray(self.image.reduce(2), dtype=np.uint8)
