"""A server with the REST routes alone, on the tiny model."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from diffusers import DPMSolverMultistepScheduler
from fastapi import FastAPI

from api import build_api
from engine import Engine, Settings
from tests.server import running, wait_until_ready

Steps = list[float]


@pytest.fixture(scope="module")
def engine(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine behind `api`; closed by the app's own lifespan."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = {"model": str(tiny_model), "data_dir": data_dir, "dtype": "float32"}
    return Engine(Settings.model_validate(settings))


@pytest.fixture(scope="module")
def app(engine: Engine) -> FastAPI:
    """The REST app around `engine`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        yield
        engine.close()

    return build_api(engine, lifespan)


@pytest.fixture(scope="module")
def api(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of a running server whose model is loaded."""
    with running(app) as url, httpx.Client(base_url=url, timeout=120) as client:
        wait_until_ready(url)
        yield client


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Make every denoising step take 50 ms; returns the times at which steps ended."""
    steps: Steps = []
    original: Callable[..., Any] = DPMSolverMultistepScheduler.step
    one_at_a_time = threading.Lock()

    def slow_step(*args: Any, **kwargs: Any) -> Any:
        assert one_at_a_time.acquire(blocking=False), "two denoising loops at once"
        try:
            time.sleep(0.05)
            return original(*args, **kwargs)
        finally:
            steps.append(time.monotonic())
            one_at_a_time.release()

    monkeypatch.setattr(DPMSolverMultistepScheduler, "step", slow_step)
    return steps
