"""Small pictures of what is being drawn: latents to colours by a linear map, and JPEG.

The map is fitted to each model's own autoencoder, by least squares over latents of smooth colours;
no table of factors per model family is needed. One preview costs about a thousandth of a decode.
"""

import math
import time
from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from weakref import WeakSet

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from engine.models import LoadedModel

_CELLS = 12
_LONGEST_SIDE = 192
_QUALITY = 75


@torch.inference_mode()
def fit_projection(model: LoadedModel) -> Tensor:
    """Fit RGB = (latent, 1) · weights over smooth random colours; (channels + 1, 3), 0 to 1."""
    generator = torch.Generator().manual_seed(0)
    seeds = torch.rand((1, 3, _CELLS // 3, _CELLS // 3), generator=generator)
    cells = functional.interpolate(seeds, size=(_CELLS, _CELLS), mode="bilinear")
    side = _CELLS * model.scale_factor
    pictures = functional.interpolate(cells, size=(side, side), mode="bilinear")
    rows = _with_constant(encode(model, pictures).float().cpu())
    colours = cells.permute(0, 2, 3, 1).reshape(-1, 3)
    # A little ridge: a channel that says nothing of colour must not blow up.
    ridge = 1e-3 * len(rows) * torch.eye(rows.shape[1])
    weights: Tensor = torch.linalg.solve(rows.T @ rows + ridge, rows.T @ colours)
    return weights


def project(latents: Tensor, weights: Tensor) -> NDArray[np.uint8]:
    """Show latents (1, channels, height, width) as uint8 RGB (height, width, 3)."""
    rows = _with_constant(latents.float().cpu())
    pixels = (rows @ weights).clamp(0, 1).reshape(*latents.shape[-2:], 3)
    return np.asarray((pixels * 255).round().to(torch.uint8))


class Projector:
    """Shows the latents of one model; the map is fitted when it is first needed."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def prepare(self) -> None:
        """Fit the map, if that has not been done."""
        _ = self._weights

    def show(self, latents: Tensor) -> NDArray[np.uint8]:
        """Show latents (1, channels, height, width) as uint8 RGB (height, width, 3)."""
        return project(latents, self._weights)

    def can_show(self, latents: Tensor) -> bool:
        """Whether latents stand for pixels, cell by cell, as the autoencoder makes them."""
        config = self._model.pipeline.vae.config
        channels = getattr(config, "latent_channels", None)
        return latents.ndim == 4 and latents.shape[1] == channels and "scaling_factor" in config

    @cached_property
    def _weights(self) -> Tensor:
        return fit_projection(self._model)


def encode(model: LoadedModel, pictures: Tensor) -> Tensor:
    """Encode pictures (n, 3, height, width), 0 to 1, to latents as the U-Net sees them."""
    vae, dtype = model.pipeline.vae, model.pipeline.vae.dtype
    device = model.pipeline._execution_device
    if dtype == torch.float16 and getattr(vae.config, "force_upcast", False):
        vae.to(torch.float32)  # it overflows otherwise
    found = vae.encode((pictures * 2 - 1).to(device, vae.dtype))
    vae.to(dtype)
    latents: Tensor
    if hasattr(found, "latent_dist"):
        latents = found.latent_dist.mode()
    else:
        latents = found.latents if hasattr(found, "latents") else found.latent
    shift = getattr(vae.config, "shift_factor", 0) or 0
    return latents.float().sub(shift).mul(vae.config.scaling_factor)


def encode_preview(pixels: NDArray[np.uint8], width: int, height: int) -> bytes:
    """Encode as a small JPEG in the aspect of a picture of that width and height."""
    scale = min(1.0, _LONGEST_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    file = BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(
        file, "JPEG", quality=_QUALITY
    )
    return file.getvalue()


class Pace:
    """Keeps the previews of all pictures together to a share of the time, by what they cost.

    Time in which none were made is not saved up. For one thread.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._next_at = -math.inf
        self._had: WeakSet[object] = WeakSet()
        self._lacking: WeakSet[object] = WeakSet()
        self._yielding: WeakSet[object] = WeakSet()

    def spend(self, who: object, work: Callable[[], None]) -> None:
        """Do `work` if its like has not used up its share of the time; those who ask take turns."""
        start, again = time.perf_counter(), who in self._had
        if start < self._next_at:
            if not again:
                self._lacking.add(who)
            return
        if again and self._lacking and who not in self._yielding:
            self._yielding.add(who)  # once: who lacks one asks before this one does again
            return
        if again:  # all who still ask have had one
            self._had.clear()
            self._lacking.clear()
        self._had.add(who)
        self._lacking.discard(who)
        self._yielding.clear()
        work()
        self._next_at = start + (time.perf_counter() - start) / self._share


def _with_constant(latents: Tensor) -> Tensor:
    """Latents (n, channels, height, width) as rows (n × height × width, channels + 1)."""
    rows = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
