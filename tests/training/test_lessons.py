"""Lessons: the same for the same step when kept, of what is there when streamed."""

import dataclasses
from pathlib import Path

import pytest
import torch

from training.autoencoder import train_autoencoder
from training.latents import encode_pictures
from training.lessons import KeptLessons, StreamedLessons, open_lessons
from training.presets import PRESETS, Preset
from training.tokenizer import WINDOW, train_tokenizer

SMOKE = PRESETS["smoke"]
STREAMED = dataclasses.replace(SMOKE, streamed=True, pictures=128)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    train_tokenizer(SMOKE, folder / "tokenizer")
    encode_pictures(SMOKE, folder, train_autoencoder(SMOKE, folder))
    return folder


@pytest.mark.parametrize("preset", [SMOKE, STREAMED], ids=["kept", "streamed"])
def test_a_lesson_has_the_preset_s_shape_and_scale(preset: Preset, run_dir: Path) -> None:
    lessons = open_lessons(preset, run_dir)
    lesson = lessons.take(0)
    side, batch = preset.latent_size, preset.diffusion_budget.batch
    assert lesson.latents.shape == (batch, preset.autoencoder.latent_channels, side, side)
    assert lesson.tokens.shape == (batch, WINDOW)
    assert lesson.tokens.dtype == torch.int64
    assert 0.3 < lesson.latents.std() < 3


def test_kept_lessons_depend_on_the_step_alone(run_dir: Path) -> None:
    first, second = KeptLessons(SMOKE, run_dir), KeptLessons(SMOKE, run_dir)
    first.take(0)
    torch.testing.assert_close(first.take(5).latents, second.take(5).latents)
    assert not torch.equal(first.take(5).tokens, first.take(6).tokens)


def test_streamed_lessons_differ_from_step_to_step(run_dir: Path) -> None:
    lessons = StreamedLessons(STREAMED, run_dir)
    first, second = lessons.take(1), lessons.take(2)
    assert not torch.equal(first.latents, second.latents)
    assert torch.equal(lessons.take(1).latents, first.latents)  # nothing was drawn meanwhile
