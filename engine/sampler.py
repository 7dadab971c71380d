"""One image task into one picture: prompt, noise, denoising, decoding, pixels.

Each step of the way is a function of its own. With `models.py` the only importer of diffusers.
The denoising loop is ours, so that latents stay in float32 whatever the model's dtype and so that
it can stop at any step or block; numerically it is diffusers' own pipeline with DPM-Solver++ 2M
(Lu et al. 2022, arXiv:2211.01095), the multistep solver that needs 20–25 steps.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from engine.errors import BadOutput
from engine.jobs import CancelToken
from engine.memory import run_within, telling_out_of_memory
from engine.models import LoadedModel
from engine.preview import fit_projection, project
from engine.prompts import chunk_ids, pad_chunks
from engine.requests import ImageTask

OnStep = Callable[[int], None]
Render = Callable[[], NDArray[np.uint8]]
OnPreview = Callable[[Render], None]


@dataclass(frozen=True)
class Picture:
    """A generated picture and what is known of its making.

    `pixels` is uint8 RGB (height, width, 3) at the asked size; `drawn_width` and `drawn_height`
    are the size the model drew at, in pixels.
    """

    pixels: NDArray[np.uint8]
    guidance_scale: float
    drawn_width: int
    drawn_height: int
    steps: int
    step_s: float
    decode_s: float

    @property
    def draw_s(self) -> float:
        """Seconds to denoise and decode."""
        return self.steps * self.step_s + self.decode_s


class Sampler:
    """Draws pictures with one loaded model. For one thread at a time: it owns the device."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self._token: CancelToken | None = None
        pipeline = model.pipeline
        for module in (pipeline.text_encoder, pipeline.unet, pipeline.vae.decoder):
            _before_each_block(module, self._check_token)

    def generate(
        self,
        task: ImageTask,
        token: CancelToken,
        on_step: OnStep,
        on_preview: OnPreview = lambda render: None,
    ) -> Picture:
        """Draw one picture.

        Args:
            token: looked at before every block of the text encoder, U-Net and decoder.
            on_step: called with the number of steps done, after each.
            on_preview: called before that with what would render the picture as it stands, small.

        Raises:
            BadOutput: the model gave NaN.
            DeviceOutOfMemory: the picture does not fit; the cache was emptied.
            EngineError: the reason `token` was set with.
        """
        guidance = task.guidance_scale
        if guidance is None:
            guidance = self.model.defaults.guidance_scale
        device = self.model.device

        def tell(step: int, clean: Tensor) -> None:
            on_preview(partial(self._render, clean))
            on_step(step)

        with torch.inference_mode(), self._watching(token), telling_out_of_memory(device):
            width, height = drawn_size(task.width, task.height, self.model)
            embeddings = encode_prompts(self.model, task, guided=guidance > 1)
            noise = draw_noise(self.model, task.seed, width, height)
            start = time.perf_counter()
            latents = denoise(
                self.model, noise, embeddings, guidance, task.num_inference_steps, tell
            )
            _settle(device)
            decoding = time.perf_counter()
            pixels = decode(self.model, latents)
            end = time.perf_counter()
        return Picture(
            pixels=resample(pixels, task.width, task.height),
            guidance_scale=guidance,
            drawn_width=width,
            drawn_height=height,
            steps=task.num_inference_steps,
            step_s=(decoding - start) / task.num_inference_steps,
            decode_s=end - decoding,
        )

    def prepare_previews(self) -> None:
        """Do once what the first preview needs."""
        _ = self._projection

    @cached_property
    def _projection(self) -> Tensor:
        return fit_projection(self.model)

    def _render(self, clean: Tensor) -> NDArray[np.uint8]:
        return project(clean, self._projection)

    @contextmanager
    def _watching(self, token: CancelToken) -> Iterator[None]:
        self._token = token
        try:
            token.check()
            yield
        finally:
            self._token = None
            self.model.pipeline.maybe_free_model_hooks()

    def _check_token(self) -> None:
        if self._token is not None:
            self._token.check()


def drawn_size(width: int, height: int, model: LoadedModel) -> tuple[int, int]:
    """Choose the size in pixels to draw at: whole latent cells, near the native area if asked."""
    cell = model.scale_factor
    if not model.defaults.near_native_area:
        return math.ceil(width / cell) * cell, math.ceil(height / cell) * cell
    scale = model.native_side / math.sqrt(width * height)
    return max(1, round(width * scale / cell)) * cell, max(1, round(height * scale / cell)) * cell


def encode_prompts(model: LoadedModel, task: ImageTask, *, guided: bool) -> Tensor:
    """Encode the negative prompt and the prompt, or the prompt alone when not guided.

    Returns:
        Embeddings (2 or 1, chunks × window, width) in the model's dtype.
    """
    pipeline = model.pipeline
    prompts = [task.negative_prompt, task.prompt] if guided else [task.prompt]
    chunked = [chunk_ids(pipeline.tokenizer, prompt) for prompt in prompts]
    count = max(len(chunks) for chunks in chunked)
    (empty,) = chunk_ids(pipeline.tokenizer, "")
    rows = [pad_chunks(chunks, count, empty) for chunks in chunked]
    ids = torch.tensor(rows, device=pipeline._execution_device)
    hidden: Tensor = pipeline.text_encoder(ids.flatten(0, 1)).last_hidden_state
    return hidden.reshape(len(prompts), -1, hidden.shape[-1]).to(model.dtype)


def draw_noise(model: LoadedModel, seed: int, width: int, height: int) -> Tensor:
    """Draw the starting latents (1, channels, height / cell, width / cell) in float32.

    Always on the CPU, so that a seed means the same on every device.
    """
    cell = model.scale_factor
    shape = (1, model.pipeline.unet.config.in_channels, height // cell, width // cell)
    generator = torch.Generator("cpu").manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float32)


def denoise(
    model: LoadedModel,
    noise: Tensor,
    embeddings: Tensor,
    guidance_scale: float,
    steps: int,
    on_step: Callable[[int, Tensor], None],
) -> Tensor:
    """Walk from noise to latents of a picture with DPM-Solver++ 2M; shapes stay, float32.

    Args:
        on_step: called after each step with their number and the latents that the model expects
            at the end.
    """
    pipeline = model.pipeline
    device = pipeline._execution_device
    scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config,
        algorithm_type="dpmsolver++",  # others draw noise of their own
    )
    scheduler.set_timesteps(steps, device=device)
    latents: Tensor = noise.to(device) * scheduler.init_noise_sigma
    batch = len(embeddings)
    for index, timestep in enumerate(scheduler.timesteps):
        scaled = scheduler.scale_model_input(latents, timestep).to(model.dtype)
        predict = partial(_predict, pipeline.unet, scaled, timestep, embeddings)
        output, batch = run_within(device, predict, batch)
        if len(embeddings) == 2:
            negative, positive = output.chunk(2)
            output = negative + guidance_scale * (positive - negative)
        latents = scheduler.step(output, timestep, latents).prev_sample
        on_step(index + 1, scheduler.model_outputs[-1])
    if not torch.isfinite(latents).all():
        raise BadOutput("The model gave invalid numbers (NaN) while denoising.")
    return latents


def _predict(
    unet: nn.Module, latents: Tensor, timestep: Tensor, embeddings: Tensor, batch: int
) -> Tensor:
    """Run the U-Net on the same latents with every row of embeddings, `batch` rows at once."""
    parts = [
        unet(latents.expand(len(rows), -1, -1, -1), timestep, encoder_hidden_states=rows).sample
        for rows in torch.split(embeddings, batch)
    ]
    return torch.cat(parts).float()


def decode(model: LoadedModel, latents: Tensor) -> NDArray[np.uint8]:
    """Decode latents to uint8 RGB pixels (height, width, 3).

    Raises:
        BadOutput: the decoder gave NaN.
    """
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


def scheduler_name(model: LoadedModel) -> str:
    """Name the solver and its kind of prediction, for recipes."""
    kind = model.pipeline.scheduler.config.get("prediction_type", "epsilon")
    return f"DPM++ 2M ({kind})"


def _before_each_block(module: nn.Module, check: Callable[[], None]) -> None:
    for parent in module.modules():
        if isinstance(parent, nn.ModuleList | nn.Sequential):
            for block in parent:
                block.register_forward_pre_hook(lambda *_: check())


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
