"""What our service is compared with, on the same weights, prompts, seeds and sizes.

`plain` is the diffusers pipeline as its documentation shows it: float32 on a CPU, float16 on CUDA,
the model's own scheduler. `tuned` is the same tuned by hand: the best dtype, channels_last and
DPM-Solver++. `tell_story` is the way of the reference design around a pipeline: scene by scene,
all frames in a list, imageio's defaults.

All draw with the model's own guidance and at the size that our engine would draw at, and scale to
the asked size as it does; the bundled model at 512×512 would else cost them four times as much.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v2
import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image

from engine import ImageRequest, Settings, VideoRequest
from engine.choice import ModelChoice
from engine.devices import choose_device, choose_dtype
from engine.models import LoadedModel, ModelDefaults
from engine.requests import ImageTask, image_task
from engine.sampler import drawn_size
from engine.story import plan_scenes


@dataclass(frozen=True)
class Peer:
    """A diffusers pipeline, and what our engine knows of its model."""

    model: LoadedModel

    def draw(self, request: ImageRequest) -> Image.Image:
        """Draw what a request with a seed asks for."""
        return self.draw_task(image_task(request, request.seed or 0))

    def draw_task(self, task: ImageTask) -> Image.Image:
        """Draw one picture by one call of the pipeline."""
        width, height = drawn_size(task.width, task.height, self.model)
        image: Image.Image = self.model.pipeline(
            task.prompt,
            negative_prompt=task.negative_prompt,
            num_inference_steps=task.num_inference_steps,
            guidance_scale=self.model.defaults.guidance_for(task.guidance_scale),
            width=width,
            height=height,
            generator=torch.Generator("cpu").manual_seed(task.seed),
        ).images[0]
        if image.size != (task.width, task.height):
            image = image.resize((task.width, task.height), Image.Resampling.LANCZOS)
        return image


def plain(folder: Path) -> Peer:
    """The pipeline as its documentation shows it."""
    device = choose_device(Settings())
    pipeline = _load(folder, torch.float32 if device.type == "cpu" else torch.float16)
    return _peer(folder, pipeline.to(device))


def tuned(folder: Path) -> Peer:
    """The pipeline tuned by hand."""
    device = choose_device(Settings())
    pipeline = _load(folder, choose_dtype(Settings(dtype="auto"), device))
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, algorithm_type="dpmsolver++"
    )
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    return _peer(folder, pipeline.to(device))


def tell_story(peer: Peer, request: VideoRequest, path: Path) -> None:
    """Make a story video as the reference design does."""
    tasks = plan_scenes(request, request.seed or 0)
    images = [peer.draw_task(task) for task in tasks]
    frames = []
    for index, image in enumerate(images):
        frames += [np.array(image)] * request.scene_frames[index]
        if index + 1 < len(images):
            frames += crossfade(image, images[index + 1], request.frames_between)
    with imageio.v2.get_writer(path, fps=request.fps) as writer:
        for frame in frames:
            writer.append_data(frame)


def crossfade(first: Image.Image, second: Image.Image, frames: int) -> list[np.ndarray[Any, Any]]:
    """Blend two pictures, each frame a step further; neither of them is among the frames."""
    alphas = [(index + 1) / (frames + 1) for index in range(frames)]
    return [np.array(Image.blend(first, second, alpha)) for alpha in alphas]


def _load(folder: Path, dtype: torch.dtype) -> Any:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _peer(folder: Path, pipeline: Any) -> Peer:
    own = folder / "storyreel.json"
    defaults = ModelDefaults()
    if own.is_file():
        defaults = ModelDefaults.model_validate_json(own.read_bytes())
    choice = ModelChoice(folder, folder.name, "local", "a peer")
    return Peer(LoadedModel(pipeline, choice, defaults, pipeline.device, pipeline.dtype))
