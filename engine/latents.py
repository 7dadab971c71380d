"""The size to draw at, the noise to begin with, and how pixels get the size that was asked for."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine.models import LoadedModel


def drawn_size(width: int, height: int, model: LoadedModel) -> tuple[int, int]:
    """Choose the size in pixels to draw at: as the model can, near the native area if asked."""
    cell = model.size_step
    if not model.defaults.near_native_area:
        return math.ceil(width / cell) * cell, math.ceil(height / cell) * cell
    scale = model.native_side / math.sqrt(width * height)
    return max(1, round(width * scale / cell)) * cell, max(1, round(height * scale / cell)) * cell


def draw_noise(model: LoadedModel, seed: int, width: int, height: int) -> Tensor:
    """Draw the starting latents (1, channels, height / cell, width / cell) in float32.

    Always on the CPU, so that a seed means the same on every device.
    """
    cell = model.scale_factor
    shape = (1, model.pipeline.unet.config.in_channels, height // cell, width // cell)
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32)


def resample(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bring pixels (h, w, 3) to the asked size with Lanczos; unchanged if they have it."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)
