"""From the latents of a finished row to its pixels."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import BadOutput
from engine.memory import run_within
from engine.models import LoadedModel
from engine.programs import Programs
from engine.shapes import Run
from engine.stopwatch import Stopwatch

Decoded = Callable[[], tuple[NDArray[np.uint8], float]]
"""Waits for uint8 RGB pixels (height, width, 3) and the seconds they took; raises BadOutput."""


class Decoder:
    """Decodes one row after the other; on CUDA beside the steps of the rows that go on.

    For one thread: it uses the device.
    """

    def __init__(self, model: LoadedModel, programs: Programs | None = None) -> None:
        self._model = model
        self._device: torch.device = model.pipeline._execution_device
        run = decoding(model.pipeline.vae)
        self._decode = run if programs is None else programs.speed_up(run)
        self._spare = (lambda: False) if programs is None else programs.clear
        self._stopwatch = Stopwatch(self._device)
        self._stream: Any = None
        if self._device.type == "cuda":
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def begin(self, latents: Tensor) -> Decoded:
        """Begin to decode latents (channels, height, width); any thread may wait for the end."""
        decoded, _ = run_within(self._device, lambda _: self._begin(latents), 1, self._spare)
        return decoded

    def _begin(self, latents: Tensor) -> Decoded:
        beside: AbstractContextManager[Any] = nullcontext()
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._device))
            latents.record_stream(self._stream)
            beside = torch.cuda.stream(self._stream)
        with beside:
            stop = self._stopwatch.start()
            image = self._decode(self._scaled(latents[None]).to(self._model.dtype))[0]
            levels = (image.float() * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
            finite = torch.stack([torch.isfinite(given).all() for given in (latents, image)])
            # What is copied without waiting lies in pinned memory, which torch sees to.
            pixels = levels.permute(1, 2, 0).contiguous().to("cpu", non_blocking=True)
            finite = finite.to("cpu", non_blocking=True)
            lap = stop()

        def wait() -> tuple[NDArray[np.uint8], float]:
            seconds = lap()
            for work, good in zip(("denoising", "decoding"), finite.tolist(), strict=True):
                if not good:
                    raise BadOutput(f"The model gave invalid numbers (NaN) while {work}.")
            return np.asarray(pixels), seconds

        return wait

    def _scaled(self, latents: Tensor) -> Tensor:
        config = self._model.pipeline.vae.config
        shift: float = getattr(config, "shift_factor", 0) or 0
        return latents / float(config.scaling_factor) + shift


def decoding(vae: Any) -> Run:
    """The function from scaled latents (n, channels, height, width) to images, about -1 to 1."""

    def decode(latents: Tensor) -> Tensor:
        image: Tensor = vae.decode(latents, return_dict=False)[0]
        return image

    return decode
