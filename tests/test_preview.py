"""Previews: true to colour, small, cheap, and made for those who watch."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.choice import BUNDLED
from engine.jobs import Job
from engine.models import LoadedModel
from engine.preview import Pace, encode, encode_preview, fit_projection, project
from engine.rows import Order
from engine.sampler import Sampler
from tests.conftest import EngineFactory
from tests.loaded import load, make_task
from tests.work import image


@pytest.fixture(scope="module")
def bundled() -> LoadedModel:
    return load(BUNDLED)


def test_the_projection_gives_back_the_colours_of_what_was_encoded(bundled: LoadedModel) -> None:
    colours = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.6, 0.9], [0.9, 0.9, 0.2], [0.1, 0.3, 0.1]])
    picture = colours.T.reshape(1, 3, 2, 2).repeat_interleave(64, 2).repeat_interleave(64, 3)
    with torch.inference_mode():
        latents = encode(bundled, picture)
    shown = project(latents, fit_projection(bundled)).astype(float) / 255
    assert shown.shape == (16, 16, 3)
    centres = shown[[4, 4, 12, 12], [4, 12, 4, 12]]
    assert np.abs(centres - colours.numpy()).max() < 0.2


def test_a_model_of_the_usual_family_has_a_projection_too(tiny_model: Path) -> None:
    model = load(tiny_model)
    weights = fit_projection(model)
    assert weights.shape == (model.pipeline.vae.config.latent_channels + 1, 3)
    assert torch.isfinite(weights).all()


def test_the_last_preview_resembles_the_picture(bundled: LoadedModel) -> None:
    previews: list[Any] = []
    task = make_task(width=256, height=256, prompt="a beach at noon", num_inference_steps=10)
    sampler = Sampler(bundled)
    picture = sampler.generate(Order(task, Job(image(), seed=1).token, lambda step: None,
                               lambda render: previews.append(render())))  # fmt: skip
    assert len(previews) == 10
    size = previews[-1].shape[1::-1]
    small = np.asarray(Image.fromarray(picture.pixels).resize(size, Image.Resampling.BOX))
    wrong = [np.abs(preview.astype(float) - small).mean() for preview in previews]
    assert wrong[-1] < 20 and wrong[-1] < wrong[0]


@pytest.mark.parametrize(
    ("asked", "size"), [((512, 512), (192, 192)), ((2048, 64), (192, 6)), ((64, 128), (64, 128))]
)
def test_a_preview_is_a_small_jpeg_in_the_asked_aspect(
    asked: tuple[int, int], size: tuple[int, int]
) -> None:
    data = encode_preview(np.zeros((32, 32, 3), np.uint8), *asked)
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("JPEG", size)


def test_previews_keep_to_their_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("engine.preview.time.perf_counter", lambda: now[0])
    pace, made = Pace(0.05), []

    def work() -> None:
        now[0] += 0.03
        made.append(now[0])

    while now[0] < 60:
        now[0] += 0.1
        pace.spend(pace, work)
    assert 0.04 < 0.03 * len(made) / now[0] < 0.051


class Watched:
    """A job whose pictures are shown."""

    def __init__(self) -> None:
        self.shown = 0


def test_previews_of_all_jobs_together_keep_to_one_share_and_take_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("engine.preview.time.perf_counter", lambda: now[0])
    pace, jobs = Pace(0.05), [Watched() for _ in range(5)]

    def show(job: Watched) -> None:
        now[0] += 0.03
        job.shown += 1

    while now[0] < 120:
        now[0] += 0.1
        if now[0] > 60 and len(jobs) == 5:
            jobs.pop(1)  # its picture is done; nobody waits for it
        for job in jobs:
            pace.spend(job, lambda job=job: show(job))  # type: ignore[misc]
    shown = [job.shown for job in jobs]
    assert max(shown) - min(shown) <= 2
    assert 0.04 < 0.03 * sum(shown) / 120 < 0.051


def test_a_time_without_previews_is_not_saved_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = [0.0], []
    monkeypatch.setattr("engine.preview.time.perf_counter", lambda: now[0])
    pace = Pace(0.05)

    def work() -> None:
        now[0] += 0.03
        made.append(now[0])

    now[0] = 1000.0
    for _ in range(100):
        pace.spend(pace, work)
        now[0] += 0.01
    assert len(made) == 2


def test_none_are_made_for_nobody(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []
    monkeypatch.setattr(Job, "show", lambda self, preview: shown.append(preview.step))
    engine = make_engine()
    alone = engine.submit(image())
    assert alone.wait(60) and shown == []
    blocked = engine.submit(image(num_inference_steps=50, seed=1))
    watched = engine.submit(image(seed=2))
    while not blocked.wait(0.05) or not watched.wait(0.05):
        watched.watch()
    assert shown and shown == sorted(shown)
