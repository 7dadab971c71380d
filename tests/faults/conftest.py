"""Servers in processes of their own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIGURE
from tests.faults.service import IMAGE, Service

if sys.platform != "linux":  # signals, forks, /proc
    collect_ignore_glob = ["test_*.py"]

MakeService = Callable[..., Service]
Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Have a line told at the end of the run."""
    return lambda line: record_property(FIGURE, line)


@pytest.fixture
def make_service(tiny_model: Path, tmp_path: Path) -> Iterator[MakeService]:
    """Prepare servers that are killed at the end of the test; all share one data folder."""
    made: list[Service] = []

    def make(*flags: str, model: Path = tiny_model, **launch: Any) -> Service:
        made.append(Service(model, tmp_path, *flags, **launch))
        return made[-1]

    yield make
    for service in made:
        service.kill()
        service.client.close()


@pytest.fixture(scope="session")
def shared_service(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    service = Service(tiny_model, folder, "--max-queue", "4", step_s=0.02).start()
    yield service
    assert service.stop() == 0
    service.client.close()


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """A server for faults that it survives: afterwards, the next good request succeeds."""
    yield shared_service
    answer = shared_service.client.post("/generate", json=IMAGE)
    assert answer.status_code == 200, answer.text
    assert shared_service.parts() == []
