"""A stage where drawing waits for a word, so that a test decides when a job goes on."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from engine import Engine, ImageRequest
from engine.jobs import Job
from engine.requests import Request
from engine.snapshots import ImageResult, Result
from tests.work import image, until

BYTES = 1000


class Stage:
    """Stands in for the model: draws nothing, and only when told to go on."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.drawing: list[Job] = []
        self.go = threading.Semaphore(0)
        self.faults: dict[str, BaseException] = {}

    def open(self, engine: Engine, hand_off: Callable[..., "Future[Any]"]) -> "Stage":
        """What stands in for `Engine._open_drawer`."""
        self.engine = engine
        return self

    def draw(self, job: Job) -> Callable[[], Result]:
        assert self.engine is not None
        store = self.engine._archive.store
        self.drawing.append(job)
        job.report(stage="denoising", eta_s=10.0)
        while not self.go.acquire(timeout=0.002):
            job.token.check()
        if job.id in self.faults:
            raise self.faults[job.id]

        def finish() -> Result:
            def write(part: Path) -> None:
                part.write_bytes(bytes(BYTES))

            path = store.write(job.id, "image.png", write)
            return ImageResult(path, "image/png", job.seed, 7.5, "")

        return finish


def busy(engine: Engine, stage: Stage, request: Request | None = None, **terms: Any) -> Job:
    """Submit a job and wait until it is being drawn."""
    job = engine.submit(request or image(), **terms)
    until(lambda: job in stage.drawing)
    return job


def done(engine: Engine, stage: Stage, request: ImageRequest | None = None, **terms: Any) -> Job:
    """Submit a job and have it made."""
    job = engine.submit(request or image(), **terms)
    stage.go.release()
    assert job.wait(30)
    return job


def crashed(engine: Engine, folder: Path) -> Path:
    """What a data folder would be had the process died now; returns the copy's name."""
    return Path(shutil.copytree(engine.settings.data_dir, folder))
