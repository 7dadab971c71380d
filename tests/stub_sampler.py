"""Stands in for the sampler where only what is around it is tested."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from engine import Engine
from engine.choice import ModelChoice
from engine.estimate import Estimator
from engine.jobs import CancelToken
from engine.models import ModelDefaults
from engine.production import Production
from engine.requests import ImageTask
from engine.rows import Order, Picture
from engine.worker import HandOff
from tests.pictures import draw_picture


class StubSampler:
    """Draws shapes instead of dreams, at once."""

    most_rows = 1

    def __init__(self) -> None:
        self.model: Any = SimpleNamespace(
            choice=ModelChoice(Path(), "stub", "r1", "a test"),
            defaults=ModelDefaults(guidance_scale=3.0),
            decoder=None,
            device=torch.device("cpu"),
            dtype_name="float32",
            scale_factor=8,
            size_step=8,
            native_side=64,
            scheduler_name="DPM++ 2M",
        )
        self.drawn: list[ImageTask] = []

    def prepare_previews(self) -> None:
        pass

    def generate(self, order: Order) -> Picture:
        task = order.task
        for step in range(task.num_inference_steps):
            order.token.check()
            order.on_step(step + 1)
        self.drawn.append(task)
        pixels = draw_picture(task.width, task.height, task.seed)
        guidance = task.guidance_scale or 3.0
        return Picture(
            pixels,
            guidance,
            task.width,
            task.height,
            steps=10,
            step_s=0.5,
            pass_s=0.5,
            pass_rows=2 if guidance > 1 else 1,
            decode_s=2.0,
            rest_s=0.1,
        )


def hand_off(work: Callable[[], Any], token: CancelToken) -> "Future[Any]":
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except Exception as err:
        future.set_exception(err)
    return future


def open_production(sampler: StubSampler | None = None) -> Callable[..., Production]:
    """What may stand in for `Engine._open_drawer`: real production on a stub sampler."""
    drawing: Any = sampler or StubSampler()

    def open_drawer(engine: Engine, hand_off: HandOff) -> Production:
        archive = engine._archive
        drawer = Production(
            drawing,
            archive.store,
            Estimator(),
            hand_off,
            archive.journal,
            engine._worker.begin_ahead,
        )
        own_guidance = drawer.facts.guidance_scale
        engine._forecast.learn(own_guidance, drawer.drawn_pixels, drawer.to_draw)
        return drawer

    return open_drawer
