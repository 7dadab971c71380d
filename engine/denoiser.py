"""One pass of the U-Net over rows at steps of their own; no other part of a row is shared."""

import time
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn

from engine.memory import Room, measure_room, run_within
from engine.models import LoadedModel
from engine.rows import Flight
from engine.solver import Solver


class Denoiser:
    """Takes rows of one size a step further. For one thread: it uses the device."""

    def __init__(self, model: LoadedModel, room: Room | None = None) -> None:
        """Prepare; without `room`, find out how many rows fit a pass."""
        self.device: torch.device = model.pipeline._execution_device
        self._dtype = model.dtype
        self._unet = model.pipeline.unet
        self.room = room or self._measure_room(model.pipeline.text_encoder.config)

    def step(self, flights: list[Flight]) -> None:
        """Take one step with rows of one size, each along its own walk."""
        start = time.perf_counter()
        latents = torch.stack([flight.latents for flight in flights])
        output = self._predict(flights, latents)
        before = torch.stack([flight.clean for flight in flights])
        table = torch.stack([flight.walk.coefficients[flight.step] for flight in flights])
        latents, clean = Solver.step(latents, output, before, table.to(self.device))
        for index, flight in enumerate(flights):
            flight.latents, flight.clean = latents[index], clean[index]
            flight.step += 1
        if any(flight.is_done for flight in flights):
            _settle(self.device)
        share_s = (time.perf_counter() - start) / len(flights)
        for flight in flights:
            flight.denoise_s += share_s

    def _predict(self, flights: list[Flight], latents: Tensor) -> Tensor:
        """Run the U-Net, each row at its own timestep, and guide each by its own scale.

        An unguided row is one row of the U-Net, a guided one two.

        Returns:
            float32, of the shape of `latents`: (rows, channels, height, width).
        """
        counts = [len(flight.embeddings) for flight in flights]
        owners = [index for index, count in enumerate(counts) for _ in range(count)]
        timesteps = torch.stack([flight.walk.timesteps[flight.step] for flight in flights])
        run = partial(
            _run_unet,
            self._unet,
            latents[owners].to(self._dtype),
            timesteps[owners].to(self.device),
            torch.cat([flight.embeddings for flight in flights]),
        )
        cells = latents[0, 0].numel()
        at_once = min(len(owners), self.room.rows(cells))
        output, fitted = run_within(self.device, run, at_once)
        if fitted < at_once:
            self.room.shrink(fitted, cells)
        ends = list(accumulate(counts))
        negative = output[[end - count for end, count in zip(ends, counts, strict=True)]]
        positive = output[[end - 1 for end in ends]]  # the same where there is no guidance
        scales = torch.tensor([flight.guidance_scale for flight in flights], device=self.device)
        return negative + scales[:, None, None, None] * (positive - negative)

    @torch.inference_mode()
    def _measure_room(self, text: Any) -> Room:
        """Find out what a guided picture of the model's own size takes."""
        config = self._unet.config
        side, new = config.sample_size, partial(torch.zeros, dtype=self._dtype, device=self.device)
        pair = (
            new((2, config.in_channels, side, side)),
            new(2),
            new((2, text.max_position_embeddings, text.hidden_size)),
        )
        return measure_room(self.device, lambda: _run_unet(self._unet, *pair, 2), 2 * side * side)


def before_each_block(module: nn.Module, check: Callable[[], None]) -> None:
    """Have `check` called before every block, so that what is under way can be stopped there."""
    for parent in module.modules():
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            for block in parent:
                block.register_forward_pre_hook(lambda *_: check())


def _run_unet(
    unet: nn.Module, latents: Tensor, timesteps: Tensor, embeddings: Tensor, at_once: int
) -> Tensor:
    """Run the U-Net on all rows, so many at once; float32."""
    parts = (torch.split(part, at_once) for part in (latents, timesteps, embeddings))
    outputs = [
        unet(some, at, encoder_hidden_states=texts).sample
        for some, at, texts in zip(*parts, strict=True)
    ]
    return torch.cat(outputs).float()


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
