"""Stage 1: an autoencoder that shrinks pictures 8 times in each direction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from training.checkpoint import StageClock, note, read_checkpoint, write_atomically
from training.crops import draw_crops, iterate_crops
from training.presets import AutoencoderShape, Preset
from training.world import draw_scene, training_scene

CHECKPOINT = "autoencoder.pt"
LATENT_NOISE = 0.1
RGB = 3
COLOUR_DEVIATION = 0.27
TEST_SEED_OFFSET = 1_000_003
TEST_PICTURES = 8


def build_autoencoder(shape: AutoencoderShape, scaling_factor: float = 1.0) -> AutoencoderTiny:
    """Return a fresh autoencoder of that shape."""
    levels = len(shape.encoder_blocks)
    return AutoencoderTiny(
        encoder_block_out_channels=(shape.width,) * levels,
        decoder_block_out_channels=(shape.width,) * levels,
        num_encoder_blocks=shape.encoder_blocks,
        num_decoder_blocks=shape.decoder_blocks,
        latent_channels=shape.latent_channels,
        scaling_factor=scaling_factor,
        force_upcast=False,
    )


@torch.no_grad()
def initialize(model: AutoencoderTiny, pictures: Tensor) -> None:
    """Set weights so that signals keep their size and colours pass from the first step.

    The class has no normalisation layers: with PyTorch's own initial weights its latents start
    at a deviation of 0.02, drowned in the training noise, and learning stalls for minutes. The
    first three channels carry each cell's mean red, green and blue all the way.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, AutoencoderTinyBlock):
            module.conv[0].weight.mul_(2**0.5)
            module.conv[2].weight.mul_(2**0.5)
            module.conv[4].weight.mul_(0.3)
            module.conv[4].weight[:RGB] = 0
    to_latents, to_pixels = model.encoder.layers[-1], model.decoder.layers[-1]
    deviation = model.encoder(pictures).std(dim=(0, 2, 3))
    to_latents.weight.div_(deviation[:, None, None, None])
    to_pixels.weight.mul_(0.02 / model.decoder(model.encoder(pictures)).std())
    _pass_colours(model)


def _pass_colours(model: AutoencoderTiny) -> None:
    """Let channels 0 to 2 average the colours on the way down and copy them on the way up."""
    down = [layer for layer in model.encoder.layers if isinstance(layer, nn.Conv2d)]
    up = [layer for layer in model.decoder.layers if isinstance(layer, nn.Conv2d)]
    for layer in (*down, *up):
        if layer is not up[-1]:
            layer.weight[:RGB] = 0
        for channel in range(RGB):
            layer.weight[channel, channel, 1, 1] = 1.0
            if layer.stride == (2, 2):
                layer.weight[channel, channel, 1:, 1:] = 0.25
    down[-1].weight[:RGB].div_(COLOUR_DEVIATION)
    down[-1].bias[:RGB] = -0.5 / COLOUR_DEVIATION
    up[0].weight[:RGB].mul_(COLOUR_DEVIATION)
    up[0].bias[:RGB] = 0.5


def to_tensor(pictures: Sequence[NDArray[np.uint8]] | NDArray[np.uint8] | Tensor) -> Tensor:
    """Turn uint8 pictures (size, size, 3) into float32 (n, 3, size, size) in -1 to 1."""
    if not isinstance(pictures, Tensor):
        pictures = torch.from_numpy(np.asarray(pictures))
    stacked = pictures.permute(0, 3, 1, 2)
    return stacked.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


def _edges(pictures: Tensor) -> tuple[Tensor, Tensor]:
    return pictures.diff(dim=-1), pictures.diff(dim=-2)


def autoencoder_loss(pictures: Tensor, rebuilt: Tensor, latents: Tensor) -> Tensor:
    """L1, L2, L1 of gradients, and a pull of every latent channel to mean 0 and deviation 1."""
    loss = functional.l1_loss(rebuilt, pictures) + 2 * functional.mse_loss(rebuilt, pictures)
    for ours, theirs in zip(_edges(rebuilt), _edges(pictures), strict=True):
        loss = loss + 0.5 * functional.l1_loss(ours, theirs)
    mean = latents.mean(dim=(0, 2, 3))
    deviation = latents.std(dim=(0, 2, 3))
    return loss + 0.02 * (mean.square().mean() + (deviation - 1).square().mean())


def train_autoencoder(
    preset: Preset, run_dir: Path, after_checkpoint: Callable[[int], None] | None = None
) -> AutoencoderTiny:
    """Train to the end of the budget, resuming from the last checkpoint.

    Args:
        after_checkpoint: Called with the step that was just saved.
    """
    torch.manual_seed(preset.seed)
    model = build_autoencoder(preset.autoencoder)
    initialize(model, to_tensor(draw_crops(preset, 0)))
    model = model.to(preset.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
    clock = StageClock(preset.autoencoder_budget)
    path = run_dir / CHECKPOINT
    if (saved := read_checkpoint(path)) is not None:
        model.load_state_dict(saved["model"])
        if "optimizer" in saved:
            optimizer.load_state_dict(saved["optimizer"])
        warm_from = 0 if "optimizer" in saved else saved["step"]
        clock = StageClock(preset.autoencoder_budget, saved["step"], saved["spent_s"], warm_from)
    if clock.done:
        return model.eval()
    if preset.device != "cpu":
        model.encoder.compile()
        model.decoder.compile()
    last_saved = time.monotonic()
    for crops in iterate_crops(preset, clock.step):
        if clock.done:
            break
        loss = _train_step(model, optimizer, to_tensor(crops), clock)
        clock.tick()
        due = time.monotonic() - last_saved > preset.checkpoint_s
        if due or clock.done:
            state = {"model": model.state_dict(), "step": clock.step, "spent_s": clock.spent_s}
            write_atomically(path, {**state, "optimizer": optimizer.state_dict()})
            _report(model, preset, run_dir, clock, float(loss))
            last_saved = time.monotonic()
            if after_checkpoint is not None:
                after_checkpoint(clock.step)
    return model.eval()


def _train_step(
    model: AutoencoderTiny, optimizer: torch.optim.Optimizer, pictures: Tensor, clock: StageClock
) -> Tensor:
    for group in optimizer.param_groups:
        group["lr"] = clock.learning_rate()
    pictures = pictures.to(model.device)
    with torch.autocast(model.device.type, torch.bfloat16):
        latents = model.encoder(pictures)
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(clock.step))
        rebuilt = model.decoder(latents + LATENT_NOISE * noise.to(model.device))
    loss = autoencoder_loss(pictures, rebuilt.float(), latents.float())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.detach()


@torch.inference_mode()
def round_trip(model: AutoencoderTiny, pictures: Tensor) -> Tensor:
    """Encode and decode without noise, in bf16; -1 to 1, on the pictures' device."""
    with torch.autocast(model.device.type, torch.bfloat16):
        rebuilt = model.decoder(model.encoder(pictures.to(model.device)))
    return rebuilt.float().clamp(-1, 1).to(pictures.device)


def peak_signal_to_noise_db(first: Tensor, second: Tensor) -> float:
    """Return the PSNR of two batches in -1 to 1, in decibels."""
    error = ((first - second) / 2).square().mean()
    return float(-10 * torch.log10(error))


def _report(
    model: AutoencoderTiny, preset: Preset, run_dir: Path, clock: StageClock, loss: float
) -> None:
    """Log the round trip's quality and write a picture of it: originals over copies."""
    seed = preset.seed + TEST_SEED_OFFSET
    scenes = [training_scene(seed, index, preset.things) for index in range(TEST_PICTURES)]
    pictures = to_tensor([draw_scene(scene, preset.size) for scene in scenes])
    rebuilt = round_trip(model, pictures)
    quality = peak_signal_to_noise_db(pictures, rebuilt)
    note(run_dir, "autoencoder", clock, loss=round(loss, 4), psnr_db=round(quality, 2))
    rows = [torch.cat(list(rows), dim=-1) for rows in (pictures, rebuilt)]
    sheet = torch.cat(rows, dim=-2).add(1).mul(127.5).round().to(torch.uint8)
    Image.fromarray(sheet.permute(1, 2, 0).numpy()).save(run_dir / "round-trip.png")
