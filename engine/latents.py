"""Latents: the size to draw at, the noise to begin with, and from the last ones to pixels."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine.errors import BadOutput
from engine.models import LoadedModel


def drawn_size(width: int, height: int, model: LoadedModel) -> tuple[int, int]:
    """Choose the size in pixels to draw at: whole latent cells, near the native area if asked."""
    cell = model.scale_factor
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


def decode(model: LoadedModel, latents: Tensor) -> NDArray[np.uint8]:
    """Decode latents (1, channels, h, w) to uint8 RGB pixels (height, width, 3).

    Raises:
        BadOutput: the latents are no numbers, or the decoder gave NaN.
    """
    if not torch.isfinite(latents).all():
        raise BadOutput("The model gave invalid numbers (NaN) while denoising.")
    vae = model.pipeline.vae
    latents = latents / vae.config.scaling_factor + (getattr(vae.config, "shift_factor", 0) or 0)
    image: Tensor = vae.decode(latents.to(model.dtype)).sample[0]
    if not torch.isfinite(image).all():
        raise BadOutput("The model gave invalid numbers (NaN) while decoding.")
    levels: Tensor = (image.float() * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(levels.permute(1, 2, 0).contiguous().cpu().numpy())


def resample(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bring pixels (h, w, 3) to the asked size with Lanczos; unchanged if they have it."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)
