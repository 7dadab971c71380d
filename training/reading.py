"""Stage 3: the text encoder learns to read, by naming what each caption says.

A denoising loss teaches words slowly: most of its gradient is about texture. So the encoder first
learns to tell setting, time, hair, garment and the rest from a caption, through small heads that
attend to its states as the U-Net's cross-attention later does. The heads are thrown away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from training.captions import write_caption
from training.checkpoint import StageClock, note, read_checkpoint, write_atomically
from training.heroes import BEARDS, EYEWEAR, GARMENTS, HAIR_STYLES, HELD, KINDS, POSES, ROLES
from training.muon import Optimizers, resume
from training.networks import build_text_encoder
from training.palette import EYE_COLOURS, GARMENT_COLOURS, HAIR_COLOURS, LIGHTS
from training.presets import Preset
from training.things import THINGS
from training.tokenizer import WINDOW, load_tokenizer
from training.world import SETTINGS, WEATHERS, Scene, training_scene

logger = logging.getLogger(__name__)
CHECKPOINT = "reading.pt"
NOTHING = "nothing"
STEPS_PER_NOTE = 100
TEST_CAPTIONS = 512
TEST_SEED_OFFSET = 2_000_003

_HERO: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "role": ("", *ROLES),
    "hair_colour": tuple(HAIR_COLOURS),
    "hair_style": HAIR_STYLES,
    "garment": (*GARMENTS, "armor", "body", "space suit"),
    "garment_colour": tuple(GARMENT_COLOURS),
    "second_colour": ("", *GARMENT_COLOURS),
    "held": ("", *HELD),
    "pose": POSES,
    "eyes": tuple(EYE_COLOURS),
    "eyewear": ("", *EYEWEAR),
    "beard": ("", *BEARDS),
    "hat": ("False", "True"),
    "headphones": ("False", "True"),
}
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "setting": tuple(SETTINGS),
    "sky": tuple(LIGHTS),
    "weather": WEATHERS,
    "thing": ("", *(thing.name for thing in THINGS)),
    **{name: (NOTHING, *answers) for name, answers in _HERO.items()},
}


def read_answers(scene: Scene) -> list[int]:
    """Return, for each of QUESTIONS in order, the index of the scene's answer."""
    answers = []
    for name, choices in QUESTIONS.items():
        if name in _HERO:
            value = NOTHING if scene.hero is None else str(getattr(scene.hero, name))
        else:
            value = str(getattr(scene, name))
        answers.append(choices.index(value))
    return answers


class Reader(nn.Module):
    """Text encoder, one attention query a question, one linear head a question."""

    def __init__(self, text_encoder: CLIPTextModel, width: int, heads: int) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.queries = nn.Parameter(torch.randn(len(QUESTIONS), width) * 0.02)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(width, len(answers)) for answers in QUESTIONS.values())

    def forward(self, tokens: Tensor, padding: Tensor) -> list[Tensor]:
        """Return the logits of every question.

        Args:
            tokens: Token ids of shape (batch, length).
            padding: True where a token is padding, of the same shape.
        """
        states = self.text_encoder(tokens)[0]
        queries = self.queries.expand(len(tokens), -1, -1)
        read, _ = self.attention(
            queries, states, states, key_padding_mask=padding, need_weights=False
        )
        return [head(read[:, index]) for index, head in enumerate(self.heads)]


def _encode(tokenizer: CLIPTokenizer, captions: list[str], device: str) -> tuple[Tensor, Tensor]:
    """Return tokens and padding; the end token that closes a caption is no padding."""
    encoded = tokenizer(
        captions, padding=True, truncation=True, max_length=WINDOW, return_tensors="pt"
    )
    return encoded.input_ids.to(device), encoded.attention_mask.to(device) == 0


def _batch(
    preset: Preset, tokenizer: CLIPTokenizer, seed: int, first: int, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    rng = Random(f"reading:{seed}:{first}")
    scenes = [training_scene(seed, first + i, preset.things) for i in range(count)]
    tokens, padding = _encode(tokenizer, [write_caption(s, rng) for s in scenes], preset.device)
    return tokens, padding, torch.tensor([read_answers(s) for s in scenes]).to(preset.device)


def _loss(reader: Reader, tokens: Tensor, padding: Tensor, answers: Tensor) -> Tensor:
    with torch.autocast(tokens.device.type, torch.bfloat16):
        logits = reader(tokens, padding)
    losses = [functional.cross_entropy(row.float(), answers[:, i]) for i, row in enumerate(logits)]
    return torch.stack(losses).sum()


def build_reader(preset: Preset, tokenizer: CLIPTokenizer) -> Reader:
    """Return an untrained reader, the same for the same preset."""
    torch.manual_seed(preset.seed)
    shape = preset.diffusion
    reader = Reader(build_text_encoder(preset, tokenizer), shape.text_width, shape.text_heads)
    return reader.to(preset.device)


def train_reading(preset: Preset, run_dir: Path) -> Reader:
    """Train to the end of the budget, resuming from the last checkpoint."""
    tokenizer = load_tokenizer(run_dir / "tokenizer")
    budget = preset.reading_budget
    reader = build_reader(preset, tokenizer)
    optimizers = Optimizers(reader)
    clock = StageClock(budget)
    path = run_dir / CHECKPOINT
    if (saved := read_checkpoint(path)) is not None:
        reader.load_state_dict(saved["model"], strict=False)  # an adopted one has no heads
        clock = resume(budget, saved, optimizers)
    last_saved, losses = time.monotonic(), list[float]()
    while not clock.done:
        batch = _batch(preset, tokenizer, preset.seed, clock.step * budget.batch, budget.batch)
        loss = _loss(reader, *batch)
        reader.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizers.step(clock.learning_rate())
        losses.append(float(loss.detach()))
        clock.tick()
        if len(losses) == STEPS_PER_NOTE or clock.done:
            right = measure_reading(preset, tokenizer, reader)
            note(run_dir, "reading", clock, loss=round(sum(losses) / len(losses), 4), right=right)
            losses.clear()
        if clock.done or time.monotonic() - last_saved > preset.checkpoint_s:
            state: dict[str, Any] = {"model": reader.state_dict(), "step": clock.step}
            state |= {"optimizers": optimizers.state_dict(), "spent_s": clock.spent_s}
            write_atomically(path, state)
            last_saved = time.monotonic()
    return reader.eval()


def load_text_encoder(preset: Preset, run_dir: Path) -> CLIPTextModel:
    """Return the text encoder that has learnt to read.

    Raises:
        FileNotFoundError: The stage has not written its checkpoint yet.
    """
    if (saved := read_checkpoint(run_dir / CHECKPOINT)) is None:
        raise FileNotFoundError(f"no {CHECKPOINT} in {run_dir}: run the reading stage first")
    text_encoder = build_text_encoder(preset, load_tokenizer(run_dir / "tokenizer"))
    prefix = "text_encoder."
    weights = {k.removeprefix(prefix): v for k, v in saved["model"].items() if prefix in k}
    text_encoder.load_state_dict(weights)
    return text_encoder


@torch.inference_mode()
def measure_reading(preset: Preset, tokenizer: CLIPTokenizer, reader: Reader) -> dict[str, float]:
    """Return, for each question, the share of unseen captions that are read right."""
    seed = preset.seed + TEST_SEED_OFFSET
    tokens, padding, answers = _batch(preset, tokenizer, seed, 0, TEST_CAPTIONS)
    logits = reader(tokens, padding)
    shares = [
        float((row.argmax(-1) == answers[:, index]).float().mean())
        for index, row in enumerate(logits)
    ]
    return {name: round(share, 3) for name, share in zip(QUESTIONS, shares, strict=True)}
