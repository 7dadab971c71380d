"""One pass of the U-Net over rows at steps of their own; no other part of a row is shared."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from engine.memory import Room, measure_room, run_within
from engine.models import LoadedModel
from engine.pairs import blank_pair, share_pairs
from engine.programs import Programs
from engine.rows import Flight, Pass
from engine.shapes import Run
from engine.sharing import room_on_cpu
from engine.solver import Solver
from engine.stopwatch import Lap, Stopwatch

_AHEAD = 2
"""Passes given to the device before the first of them is waited for: it must not run dry, nor be
so far behind that a picture that was cancelled goes on."""
_BESIDE = 2
"""Programs keep the memory of a pass, and trying one that was compiled takes as much again."""


class Denoiser:
    """Takes rows of one size a step further. For one thread: it uses the device.

    Nothing is copied from the machine's memory to the device's during a pass.
    """

    def __init__(
        self,
        model: LoadedModel,
        room: Room | None = None,
        programs: Programs | None = None,
        most: int | None = None,
    ) -> None:
        """Prepare; without `room`, find out how many rows fit a pass, or are fastest.

        Args:
            most: pictures that may share a pass, if there is room.
        """
        self.device: torch.device = model.pipeline._execution_device
        self._dtype = model.dtype
        self._unet = model.pipeline.unet
        self._spare = (lambda: False) if programs is None else programs.clear
        self._beside = 0 if programs is None else _BESIDE
        self._shares_pairs = programs is None and share_pairs(self._unet)
        plain = predicting(self._unet)
        self._run = plain if programs is None else programs.speed_up(plain, self._most_rows)
        self._stopwatch = Stopwatch(self.device)
        self._under_way: deque[Lap] = deque()
        self.room = room or self._measure_room(plain, model.pipeline)
        self.room.most = min(self.room.most, most or self.room.most)

    def step(self, flights: list[Flight]) -> None:
        """Take one step with rows of one size, each along its own walk."""
        while len(self._under_way) >= _AHEAD:
            self._under_way.popleft()()
        stop = self._stopwatch.start()
        latents = torch.stack([flight.latents for flight in flights])
        output = self._predict(flights, latents)
        before = torch.stack([flight.clean for flight in flights])
        table = torch.stack([flight.walk.coefficients[flight.step] for flight in flights])
        latents, clean = Solver.step(latents, output, before, table)
        lap = stop()
        self._under_way.append(lap)
        one = Pass(lap, len(flights), sum(len(flight.embeddings) for flight in flights))
        for index, flight in enumerate(flights):
            flight.latents, flight.clean = latents[index], clean[index]
            flight.step += 1
            flight.passes.append(one)

    def _predict(self, flights: list[Flight], latents: Tensor) -> Tensor:
        """Run the U-Net, each row at its own timestep, and guide each by its own scale.

        An unguided row is one row of the U-Net, a guided one two, which are one until they differ.

        Returns:
            float32, of the shape of `latents`: (rows, channels, height, width).
        """
        counts = [len(flight.embeddings) for flight in flights]
        given = [1] * len(flights) if self._shares_pairs and len(set(counts)) == 1 else counts
        rows = list(zip(flights, latents.to(self._dtype), given, strict=True))
        inputs = (
            torch.cat([row.expand(count, *row.shape) for _, row, count in rows]),
            torch.cat([flight.walk.timesteps[flight.step].expand(n) for flight, _, n in rows]),
            torch.cat([flight.embeddings for flight in flights]),
        )
        cells = latents[0, 0].numel()
        at_once = min(sum(counts), self._most_rows(latents))
        run = partial(_run_some, self._run, *inputs)
        output, fitted = run_within(self.device, run, at_once, self._spare)
        if fitted < at_once:
            self.room.shrink(fitted, cells)
        parts = torch.split(output, counts)
        negative = torch.stack([part[0] for part in parts])
        positive = torch.stack([part[-1] for part in parts])  # the same where there is no guidance
        scales = torch.stack([flight.guidance_scale for flight in flights])
        return negative + scales[:, None, None, None] * (positive - negative)

    def _most_rows(self, latents: Tensor) -> int:
        return self.room.rows(latents[0, 0].numel())

    @torch.inference_mode()
    def _measure_room(self, run: Run, pipeline: Any) -> Room:
        """Find out what a guided picture of the model's own size takes."""
        pair = blank_pair(pipeline, self._dtype, self.device)
        cells = pair[0][:, 0].numel()
        if self.device.type == "cpu":
            return room_on_cpu(self._unet, cells // len(pair[0]))
        return measure_room(self.device, lambda: run(*pair), cells, beside=self._beside)


def predicting(unet: Any) -> Run:
    """The function from latents, timesteps and embeddings, all by rows, to the U-Net's output."""

    def predict(latents: Tensor, timesteps: Tensor, embeddings: Tensor) -> Tensor:
        output: Tensor = unet(
            latents, timesteps, encoder_hidden_states=embeddings, return_dict=False
        )[0]
        return output

    return predict


def before_each_block(module: nn.Module, check: Callable[[], None]) -> None:
    """Have `check` called before every block, so that what is under way can be stopped there."""
    for parent in module.modules():
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            for block in parent:
                block.register_forward_pre_hook(lambda *_: check())


def _run_some(
    run: Run, latents: Tensor, timesteps: Tensor, embeddings: Tensor, at_once: int
) -> Tensor:
    """Run the U-Net on all rows, so many at once; float32.

    Args:
        latents, timesteps: of as many rows as `embeddings`; or of fewer, each for as many of them.
    """
    if at_once < len(embeddings):
        each = len(embeddings) // len(latents)
        latents, timesteps = (part.repeat_interleave(each, 0) for part in (latents, timesteps))
    parts = (torch.split(part, at_once) for part in (latents, timesteps, embeddings))
    return torch.cat([run(*some) for some in zip(*parts, strict=True)]).float()
