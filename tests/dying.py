"""Processes that are killed: run as `python -m tests.dying MODE DATA_DIR`, see the modes below.

They tell on their standard output what they know, one line each.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine, Settings
from engine.errors import EngineError
from engine.jobs import ImageResult, Job, Result
from engine.requests import VideoRequest
from tests.work import image, story


def tell(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


class QuickDrawer:
    """Draws a file of zeros within some milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self._store = engine._archive.store

    def draw(self, job: Job) -> Callable[[], Result]:
        tell("draws", job.id)
        for step in range(job.image_tasks * 3):
            job.token.check()
            time.sleep(0.002)
            job.report(stage="denoising", step=step)

        def finish() -> Result:
            path = self._store.write(job.id, "image.png", lambda part: _zeros(part))
            return ImageResult(path, "image/png", job.seed, 7.5, "")

        return finish


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(5000))


def open_engine(data_dir: Path, open_drawer: Callable[..., Any]) -> Engine:
    Engine._open_drawer = open_drawer  # type: ignore[method-assign]
    return Engine(Settings.model_validate({"data_dir": data_dir, "max_queue": 30}))


def stream(data_dir: Path) -> None:
    """Submit a stream of mixed jobs, and cancel some; tell each that was accepted or ended."""
    engine = open_engine(data_dir, lambda engine, hand_off: QuickDrawer(engine))
    chance, jobs = random.Random(), list(engine._jobs.values())
    while True:
        request = story(3) if chance.random() < 0.2 else image()
        try:
            job = engine.submit(request, client=str(chance.randrange(3)))
        except EngineError:
            time.sleep(0.005)
        else:
            tell("accepted", job.id)
            jobs.append(job)
            if chance.random() < 0.1:
                job.cancel()
        for job in [job for job in jobs if job.state.is_terminal]:
            tell("ended", job.id, job.state.value)
            jobs.remove(job)


def story_dies(data_dir: Path) -> None:
    """Draw a story of five scenes, and die while the fourth is drawn."""
    from tests.stub_sampler import open_production

    engine = open_engine(data_dir, open_production(die_at=4))
    engine.submit(five_scenes()).wait(60)
    tell("survived")


def five_scenes() -> VideoRequest:
    scenes = [f"scene {n}" for n in range(1, 6)]
    return story(5, seed=1).model_copy(update={"scenes": scenes})


if __name__ == "__main__":
    {"stream": stream, "story": story_dies}[sys.argv[1]](Path(sys.argv[2]))
