"""A server with the REST routes alone, on the tiny model."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api import build_api
from engine import Engine, Settings
from tests.pacing import pace_steps
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
    return build_api(engine)


@pytest.fixture(scope="module")
def api(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of a running server whose model is loaded."""
    with running(app) as url, httpx.Client(base_url=url, timeout=120) as client:
        wait_until_ready(url)
        yield client


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Make every denoising step take 50 ms; returns the times at which steps ended."""
    return pace_steps(monkeypatch, 0.05)
