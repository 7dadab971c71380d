"""Shared by all tests: a tiny real pipeline, engines on it, and servers around them."""

import os
import threading

# One thread a process: the tiny pipelines are all overhead, and threads only add to it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# The tiny models stand for large ones, whose pictures are drawn one by one on a CPU.
os.environ.setdefault("STORYREEL_PICTURES_AT_ONCE", "1")

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Settings
from tests.house import Draw, House, at_once
from tests.stage import Stage
from tests.tiny_pipeline import save_tiny_decoder, save_tiny_pipeline

EngineFactory = Callable[..., Engine]
FIGURE = "figure"
"""The property of a test whose value is told at the end; it comes from other processes too."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How thorough tests/faults is; `make faults` asks for more than CI."""
    parser.addoption("--rounds", type=int, default=5, help="kills and cancels at random moments")
    parser.addoption("--examples", type=int, default=25, help="requests made up for each route")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests/faults found, whichever process tried it."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    told = [line for report in reports for name, line in report.user_properties if name == FIGURE]
    if told:
        terminalreporter.section("faults")
        for line in told:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Stable Diffusion pipeline that predicts noise."""
    return save_tiny_pipeline(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_flow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny pipeline that predicts flow, as the bundled model does."""
    return save_tiny_pipeline(tmp_path_factory.mktemp("models") / "tiny-flow", flow=True)


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny autoencoder by itself, for the latents of the tiny models."""
    return save_tiny_decoder(tmp_path_factory.mktemp("models") / "tiny-decoder")


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models loaded as on a device whose kernels take no packed weights."""
    monkeypatch.setattr("engine.cpu.can_pack", lambda dtype: False)


@pytest.fixture
def make_settings(tiny_model: Path, tmp_path: Path) -> Callable[..., Settings]:
    """Make settings for the tiny model and a fresh data folder; keywords override."""

    def make(**changes: object) -> Settings:
        defaults = {"model": str(tiny_model), "data_dir": tmp_path / "data", "dtype": "float32"}
        return Settings.model_validate({**defaults, **changes})

    return make


@pytest.fixture
def make_engine(make_settings: Callable[..., Settings]) -> Iterator[EngineFactory]:
    """Make engines that are closed at the end of the test."""
    engines: list[Engine] = []

    def make(**changes: object) -> Engine:
        engines.append(Engine(make_settings(**changes)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make_engine: EngineFactory) -> Engine:
    """An engine on the tiny model."""
    return make_engine()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """What all engines of the test have instead of a model."""
    made = Stage()
    monkeypatch.setattr(
        Engine, "_open_drawer", lambda engine, hand_off: made.open(engine, hand_off)
    )
    return made


@pytest.fixture
def engine_on_stage(make_engine: EngineFactory, stage: Stage) -> Engine:
    """An engine that draws on the stage."""
    return make_engine()


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(draw: Draw = at_once, *, overlap: bool = False, **arguments: Any) -> House:
        houses.append(House(draw, **arguments))
        if overlap:
            houses[-1].worker.allow_overlap()
        houses[-1].worker.start()
        return houses[-1]

    yield make
    for one in houses:
        one.close()


@pytest.fixture
def threads_before() -> set[threading.Thread]:
    """The threads that were there before the test."""
    return set(threading.enumerate())
