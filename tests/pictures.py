"""Natural-ish pictures drawn by the tests: gradients, shapes, text and mild noise."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw


def draw_picture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw RGB pixels (height, width, 3); the same for the same seed."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    slope = np.stack([columns / width, rows / height, (rows + columns) / (width + height)], -1)
    base = random.uniform(20, 120, 3) + slope * random.uniform(40, 130, 3)
    image = Image.fromarray(base.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = random.uniform(0, width), random.uniform(0, height)
        r = random.uniform(0.05, 0.2) * min(width, height)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(random.integers(0, 256, 3).tolist()))
        draw.line((x, y, *random.uniform(0, height, 2).tolist()), fill="white", width=2)
    draw.text((width / 8, height / 3), "Once upon a time", fill="black")
    pixels = np.asarray(image) + random.normal(0, 1.5, (height, width, 3))
    return pixels.round().clip(0, 255).astype(np.uint8)


def psnr(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB."""
    error = np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
