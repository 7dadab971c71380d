"""Sizes of a training run: what each preset draws, learns and how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """How long one stage trains.

    A stage ends at `steps` or after `minutes` of its own time, whichever comes first; the
    learning rate follows the same progress, so a slow machine still ends with a full decay.
    """

    steps: int
    minutes: float
    batch: int
    learning_rate: float
    warmup: int = 200


@dataclass(frozen=True)
class AutoencoderShape:
    """AutoencoderTiny: one width, as many levels as blocks are given, each half the last."""

    width: int
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    crop: int
    latent_channels: int = 8

    @property
    def reduction(self) -> int:
        """How many pixels a latent spans in each direction."""
        return int(2 ** (len(self.encoder_blocks) - 1))


@dataclass(frozen=True)
class DiffusionShape:
    """The U-Net and the text encoder.

    Attributes:
        attention: For each level from the finest, whether it attends to the text.
        vocabulary: Rows of the token table; the tokenizer may use fewer.
    """

    channels: tuple[int, ...]
    attention: tuple[bool, ...]
    layers_per_block: int
    text_width: int
    text_layers: int
    text_heads: int
    vocabulary: int = 4096


@dataclass(frozen=True)
class Preset:
    """One named training run.

    Attributes:
        size: Native width and height in pixels.
        pictures: How many pictures are encoded for the U-Net; when streamed, kept at one time.
        captions: How many captions the tokenizer is trained on.
        workers: Processes that draw ahead; 0 to draw in between, or no more than the first
            pictures when streamed.
        checkpoint_s: Seconds between checkpoints.
        things: How many of THINGS its world has; None for all.
        streamed: Whether autoencoder and U-Net learn from pictures that are drawn meanwhile.
        device: Where the networks live, as torch names it.
    """

    name: str
    size: int
    seed: int
    pictures: int
    captions: int
    threads: int
    workers: int
    checkpoint_s: float
    autoencoder: AutoencoderShape
    autoencoder_budget: Budget
    reading_budget: Budget
    judge_budget: Budget
    diffusion: DiffusionShape
    diffusion_budget: Budget
    things: int | None = None
    streamed: bool = False
    device: str = "cpu"

    @property
    def latent_size(self) -> int:
        """Width and height of the latents."""
        return self.size // self.autoencoder.reduction


_TINY = AutoencoderShape(64, (0, 0, 2, 4), (4, 3, 1, 0), crop=128, latent_channels=8)

PRESETS: dict[str, Preset] = {
    "smoke": Preset(
        name="smoke",
        size=64,
        seed=7,
        pictures=16,
        captions=200,
        threads=2,
        workers=0,
        checkpoint_s=60,
        autoencoder=AutoencoderShape(8, (0, 0, 0, 1), (1, 0, 0, 0), crop=32),
        autoencoder_budget=Budget(4, 1, 4, 1e-3, 2),
        reading_budget=Budget(4, 1, 4, 1e-3, 2),
        judge_budget=Budget(4, 1, 4, 1e-3, 2),
        diffusion=DiffusionShape((32, 32), (False, True), 1, 32, 1, 2),
        diffusion_budget=Budget(4, 1, 4, 1e-3, 2),
        things=48,
    ),
    "cpu": Preset(
        name="cpu",
        size=256,
        seed=2026,
        pictures=24_576,
        captions=40_000,
        threads=2,
        workers=1,
        checkpoint_s=120,
        autoencoder=_TINY,
        autoencoder_budget=Budget(20_000, 26, 8, 1.5e-3),
        reading_budget=Budget(900, 12, 64, 2e-3, 50),
        judge_budget=Budget(10_000, 185, 64, 4e-3, 100),
        diffusion=DiffusionShape((64, 128, 256), (False, False, True), 1, 256, 4, 4),
        diffusion_budget=Budget(20_000, 170, 64, 3.5e-3, 100),
        things=48,
    ),
    "gpu": Preset(
        name="gpu",
        size=256,
        seed=2026,
        pictures=131_072,
        captions=60_000,
        threads=4,
        workers=14,
        checkpoint_s=60,
        autoencoder=_TINY,
        autoencoder_budget=Budget(50_000, 4, 128, 1.5e-3),
        reading_budget=Budget(20_000, 5, 256, 2e-3, 100),
        judge_budget=Budget(20_000, 40, 64, 4e-3, 100),
        diffusion=DiffusionShape((64, 128, 256), (False, False, True), 1, 256, 4, 4),
        diffusion_budget=Budget(50_000, 14, 512, 3e-3, 300),
        streamed=True,
        device="cuda",
    ),
}
