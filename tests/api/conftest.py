"""Servers: one with the REST routes alone, on the tiny model; one behind a key, without a model."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api import build_api
from app import create_app
from engine import Engine, Settings
from tests.pacing import pace_steps
from tests.server import in_a_loop, running, wait_until_ready

Steps = list[float]
KEY = "a-key-of-ours"


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


@pytest.fixture(scope="module")
def keyed_app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The whole service, its page included, behind one key; it has no model, so draws nothing."""
    data_dir = tmp_path_factory.mktemp("data")
    settings = {"model": "/nowhere", "data_dir": data_dir, "api_key": [KEY]}
    return in_a_loop(lambda: create_app(Settings.model_validate(settings)))


@pytest.fixture(scope="module")
def keyed(keyed_app: FastAPI) -> Iterator[httpx.Client]:
    """A client, without a key, of a running server around `keyed_app`."""
    with running(keyed_app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Make every denoising step take 50 ms; returns the times at which steps ended."""
    return pace_steps(monkeypatch, 0.05)
