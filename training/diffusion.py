"""Stage 5: the U-Net learns to turn noise into latents, by flow matching.

x_t = (1 - t) x0 + t noise; the U-Net is given 1000 t and predicts noise - x0
(Lipman et al. 2022; the logit-normal draw of t is Esser et al. 2024). The text encoder has learnt
to read before and stays as it is.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel

from training.checkpoint import StageClock, note, read_checkpoint, write_atomically
from training.lessons import Lessons, open_lessons
from training.muon import Optimizers, resume
from training.networks import build_unet
from training.presets import Preset
from training.reading import load_text_encoder

logger = logging.getLogger(__name__)
CHECKPOINT = "diffusion.pt"
TIME_MEAN, TIME_DEVIATION = 0.5, 1.0
EMA_DECAY = 0.998
STEPS_PER_NOTE = 100


class StoryModel(torch.nn.Module):
    """A text encoder that stays as it is, and a U-Net that learns."""

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder = text_encoder.eval().requires_grad_(False)
        self.unet = unet

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict noise - x0.

        Args:
            noisy: Latents of shape (batch, channels, size, size).
            times: Shape (batch,), 0 to 1.
            tokens: Token ids of shape (batch, WINDOW).
        """
        with torch.no_grad():
            states = self.text_encoder(tokens)[0]
        predicted: Tensor = self.unet(noisy, 1000 * times, states, return_dict=False)[0]
        return predicted


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes:
        latents: float32 (batch, channels, size, size), scaled to deviation 1.
        tokens: int64 (batch, WINDOW).
        times: float32 (batch,), 0 to 1.
        noise: As latents.
    """

    latents: Tensor
    tokens: Tensor
    times: Tensor
    noise: Tensor


def build_story_model(preset: Preset, run_dir: Path) -> StoryModel:
    """Return the text encoder that has learnt to read, and an untrained U-Net."""
    text_encoder = load_text_encoder(preset, run_dir)
    torch.manual_seed(preset.seed)
    model = StoryModel(text_encoder, build_unet(preset))
    return model.to(preset.device, memory_format=torch.channels_last)


def prepare_batch(preset: Preset, lessons: Lessons, step: int) -> Batch:
    """Return the batch of that step: a lesson, times and noise."""
    lesson = lessons.take(step)
    device = preset.device
    generator = torch.Generator(device).manual_seed(preset.seed * 1_000_003 + step)
    count, shape = len(lesson.latents), lesson.latents.shape
    times = torch.randn(count, generator=generator, device=device) * TIME_DEVIATION + TIME_MEAN
    noise = torch.randn(shape, generator=generator, device=device)
    return Batch(lesson.latents, lesson.tokens, times.sigmoid(), noise)


def flow_loss(model: StoryModel, batch: Batch) -> Tensor:
    """Return the mean squared error of the predicted direction."""
    weight = batch.times[:, None, None, None]
    noisy = (1 - weight) * batch.latents + weight * batch.noise
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    with torch.autocast(noisy.device.type, torch.bfloat16):
        predicted = model(noisy, batch.times, batch.tokens)
    return functional.mse_loss(predicted.float(), batch.noise - batch.latents)


class MovingAverage:
    """Exponential moving average of weights; short while training is young."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.weights = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int) -> None:
        """Move the average towards the weights after that step."""
        decay = min(EMA_DECAY, (1 + step) / (10 + step))
        ours = list(self.weights.values())
        theirs = [p.detach() for p in model.parameters()]
        torch._foreach_lerp_(ours, theirs, 1 - decay)


def train_diffusion(preset: Preset, run_dir: Path) -> None:
    """Train to the end of the budget, resuming from the last checkpoint."""
    model = build_story_model(preset, run_dir)
    if preset.device != "cpu":
        model.unet.compile()
    average = MovingAverage(model.unet)
    optimizers = Optimizers(model.unet)
    path = run_dir / CHECKPOINT
    clock = StageClock(preset.diffusion_budget)
    if (saved := read_checkpoint(path)) is not None:
        model.unet.load_state_dict(saved["unet"])
        average.weights = {k: v.to(preset.device) for k, v in saved["average"].items()}
        clock = resume(preset.diffusion_budget, saved, optimizers)
    if clock.done:
        return
    lessons = open_lessons(preset, run_dir, clock.step)
    last_saved, losses = time.monotonic(), list[Tensor]()
    with closing(lessons):
        while not clock.done:
            batch = prepare_batch(preset, lessons, clock.step)
            losses.append(_train_step(model, optimizers, batch, clock))
            average.update(model.unet, clock.step)
            clock.tick()
            if len(losses) == STEPS_PER_NOTE or clock.done:
                note(run_dir, "diffusion", clock, loss=round(float(torch.stack(losses).mean()), 5))
                losses.clear()
            if clock.done or time.monotonic() - last_saved > preset.checkpoint_s:
                write_atomically(path, _state(model, optimizers, average, clock, lessons))
                last_saved = time.monotonic()


def _state(
    model: StoryModel,
    optimizers: Optimizers,
    average: MovingAverage,
    clock: StageClock,
    lessons: Lessons,
) -> dict[str, Any]:
    return {
        "unet": model.unet.state_dict(),
        "average": average.weights,
        "optimizers": optimizers.state_dict(),
        "step": clock.step,
        "spent_s": clock.spent_s,
        "scaling_factor": lessons.scaling_factor,
    }


def _train_step(
    model: StoryModel, optimizers: Optimizers, batch: Batch, clock: StageClock
) -> Tensor:
    loss = flow_loss(model, batch)
    model.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.unet.parameters(), 1.0)
    optimizers.step(clock.learning_rate())
    return loss.detach()
