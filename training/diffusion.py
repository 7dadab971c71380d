"""Stage 4: text encoder and U-Net learn to turn noise into latents, by flow matching.

x_t = (1 - t) x0 + t noise; the U-Net is given 1000 t and predicts noise - x0
(Lipman et al. 2022; the logit-normal draw of t is Esser et al. 2024).
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from training.captions import write_caption
from training.checkpoint import StageClock, read_checkpoint, write_atomically
from training.latents import LatentSet, load_latents
from training.networks import build_text_encoder, build_unet
from training.presets import Preset
from training.tokenizer import WINDOW, load_tokenizer
from training.world import training_scene

logger = logging.getLogger(__name__)
CHECKPOINT = "diffusion.pt"
CAPTION_DROPOUT = 0.1
TIME_MEAN, TIME_DEVIATION = 0.2, 1.0
EMA_DECAY = 0.999
STEPS_PER_NOTE = 100


class StoryModel(torch.nn.Module):
    """Text encoder and U-Net as one trainable whole."""

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = unet

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict noise - x0.

        Args:
            noisy: Latents of shape (batch, channels, size, size).
            times: Shape (batch,), 0 to 1.
            tokens: Token ids of shape (batch, WINDOW).
        """
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


def build_story_model(preset: Preset, tokenizer: CLIPTokenizer) -> StoryModel:
    """Return an untrained model, the same for the same preset."""
    torch.manual_seed(preset.seed)
    model = StoryModel(build_text_encoder(preset, tokenizer), build_unet(preset))
    return model.to(preset.device, memory_format=torch.channels_last)


def prepare_batch(preset: Preset, data: LatentSet, tokenizer: CLIPTokenizer, step: int) -> Batch:
    """Return the batch of that step: the same step always learns from the same batch."""
    size = preset.diffusion_budget.batch
    rng = Random(f"batch:{preset.seed}:{step}")
    generator = torch.Generator().manual_seed(rng.getrandbits(60))
    rows = [rng.randrange(preset.pictures) for _ in range(size)]
    captions = [
        "" if rng.random() < CAPTION_DROPOUT else write_caption(training_scene(preset.seed, i), rng)
        for i in rows
    ]
    encoded = tokenizer(
        captions, padding="max_length", truncation=True, max_length=WINDOW, return_tensors="pt"
    )
    latents = torch.from_numpy(data.latents[rows]).float() * data.scaling_factor
    times = torch.randn(size, generator=generator) * TIME_DEVIATION + TIME_MEAN
    noise = torch.randn(latents.shape, generator=generator)
    parts = (latents, encoded.input_ids, times.sigmoid(), noise)
    return Batch(*(part.to(preset.device) for part in parts))


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
    tokenizer = load_tokenizer(run_dir / "tokenizer")
    data = load_latents(preset, run_dir)
    model = build_story_model(preset, tokenizer)
    average = MovingAverage(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    path = run_dir / CHECKPOINT
    clock = StageClock(preset.diffusion_budget)
    if (saved := read_checkpoint(path)) is not None:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        average.weights = {k: v.to(preset.device) for k, v in saved["average"].items()}
        clock = StageClock(preset.diffusion_budget, saved["step"], saved["spent_s"])
    last_saved, losses = time.monotonic(), list[float]()
    while not clock.done:
        losses.append(
            _train_step(model, optimizer, prepare_batch(preset, data, tokenizer, clock.step), clock)
        )
        average.update(model, clock.step)
        clock.tick()
        if len(losses) == STEPS_PER_NOTE or clock.done:
            _note(run_dir, clock, losses)
            losses.clear()
        if clock.done or time.monotonic() - last_saved > preset.checkpoint_s:
            write_atomically(path, _state(model, optimizer, average, clock, data))
            last_saved = time.monotonic()


def _state(
    model: StoryModel,
    optimizer: torch.optim.Optimizer,
    average: MovingAverage,
    clock: StageClock,
    data: LatentSet,
) -> dict[str, Any]:
    return {
        "model": model.state_dict(),
        "average": average.weights,
        "optimizer": optimizer.state_dict(),
        "step": clock.step,
        "spent_s": clock.spent_s,
        "scaling_factor": data.scaling_factor,
    }


def _train_step(
    model: StoryModel, optimizer: torch.optim.Optimizer, batch: Batch, clock: StageClock
) -> float:
    for group in optimizer.param_groups:
        group["lr"] = clock.learning_rate()
    loss = flow_loss(model, batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _note(run_dir: Path, clock: StageClock, losses: list[float]) -> None:
    record = {
        "stage": "diffusion",
        "step": clock.step,
        "minutes": round(clock.spent_s / 60, 2),
        "loss": round(sum(losses) / len(losses), 5),
    }
    logger.info("%s", record)
    with (run_dir / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
