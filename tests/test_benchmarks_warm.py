"""Our server is measured warm: its programs are made for the very work that is timed then."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import workloads
from benchmarks.servers import Served, reference, storyreel, warm_up
from engine.choice import BUNDLED

SERVER = Served(port=1, pid=1)
Work = list[Any]


class Warming:
    """A server that is warm after so many pieces of work, each of which takes a minute."""

    def __init__(self, pieces: int | None) -> None:
        self.pieces = pieces
        self.done = 0

    def work(self) -> None:
        self.done += 1

    def answer(self, url: str, timeout: float) -> Any:
        assert url == f"{SERVER.url}/health"
        programs = None
        if self.pieces is not None:
            programs = {"ready": 3, "pending": max(0, self.pieces - self.done)}
        return SimpleNamespace(json=lambda: {"programs": programs})


@pytest.fixture
def warming(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], Warming]:
    def make(pieces: int | None) -> Warming:
        server = Warming(pieces)
        monkeypatch.setattr("httpx.get", server.answer)
        monkeypatch.setattr("time.monotonic", lambda: 60.0 * server.done)
        return server

    return make


@pytest.mark.parametrize(("pieces", "done"), [(None, 0), (0, 1), (1, 2), (5, 6)])
def test_work_is_repeated_until_all_of_it_goes_by_programs(
    warming: Callable[[int | None], Warming], pieces: int | None, done: int
) -> None:
    server = warming(pieces)
    warm_up(SERVER, server.work)
    assert server.done == done


def test_a_server_that_does_not_get_warm_is_given_up(
    warming: Callable[[int | None], Warming],
) -> None:
    server = warming(100)
    with pytest.raises(TimeoutError, match=r"after 960 s: .*'pending': 84"):
        warm_up(SERVER, server.work)
    assert server.done == 16


class Callers:
    """Stands in for all that a benchmark calls; notes what ours was asked for, and when warmed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.asked: list[Work] = []
        self.warmed: list[int] = []
        stand_ins = {
            "served": self.served,
            "calling": self.calling,
            "warm_up": self.warm_up,
            "draw": lambda client, request: self.ask(client, [request]),
            "draw_at_once": lambda client, requests: self.ask(client, requests),
            "tell": lambda client, request: self.ask(client, [request]),
            "until_encoding_s": lambda server, request: self.ask(server, [request]) and 1.0,
            **dict.fromkeys(("plain", "tuned"), lambda folder: SimpleNamespace(draw=str)),
            **dict.fromkeys(("check_picture", "check_video"), lambda made, request: None),
            "facts_of": lambda server: {},
        }
        for name, stand_in in stand_ins.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, stand_in)

    @contextmanager
    def served(self, command: tuple[str, ...], *, ready: str) -> Iterator[tuple[str, ...]]:
        yield command

    @contextmanager
    def calling(self, server: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield server

    def ask(self, client: tuple[str, ...], requests: Work) -> Work:
        if client != reference(BUNDLED):
            self.asked.append(requests)
        return requests

    def warm_up(self, server: tuple[str, ...], work: Callable[[], object]) -> None:
        assert server == storyreel(BUNDLED)
        self.warmed.append(len(self.asked))
        work()


@pytest.mark.parametrize("name", ["image", "concurrency", "story"])
def test_what_warms_up_is_what_is_measured(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("BENCH_SMOKE", raising=False)
    module: Any = importlib.import_module(f"benchmarks.{name}")
    callers = Callers(monkeypatch, module)
    work: list[Work] = [[workloads.one_image()]]
    if name == "image":
        module._measure(BUNDLED, rounds=2)
    elif name == "concurrency":
        work = [workloads.mixed_images(8), workloads.mixed_images(32)]
        module._measure(BUNDLED, [8, 32], 2, workloads.STEPS_TO)
    else:
        work = [[workloads.documented_story()]]
        module._measure(Path(BUNDLED), workloads.documented_story(), 1)
    short, *rest = callers.asked
    assert [one.num_inference_steps for one in short] == [workloads.STEPS_FROM]
    assert rest == [one for one in work for _ in range(3)]
    assert callers.warmed == [1 + 3 * index for index in range(len(work))]
