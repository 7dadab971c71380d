"""A worker in a house of its own, whose drawing is a function of the test."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from engine.errors import ModelUnavailable, ShuttingDown
from engine.jobs import Job
from engine.queue import JobQueue
from engine.requests import ImageRequest
from engine.snapshots import ImageResult, Result
from engine.turns import Turns
from engine.worker import HandOff, Worker

RESULT = ImageResult(Path("a.png"), "image/png", 1, 7.5, "")
REASON = ShuttingDown("closing")
Draw = Callable[[Job], Callable[[], Result]]


def make_job() -> Job:
    return Job(ImageRequest(prompt="a cat"), seed=1)


def at_once(job: Job) -> Callable[[], Result]:
    return lambda: RESULT


class House:
    """A worker whose drawing is a function of the test."""

    def __init__(self, draw: Draw, queue: JobQueue | None = None) -> None:
        self.queue = queue or JobQueue(1000)
        self.problems: list[ModelUnavailable] = []
        self.draw = draw
        self.hand_off: HandOff | None = None
        self.worker = Worker(self.queue, self.open, self.problems.append)

    def open(self, hand_off: HandOff) -> "House":
        self.hand_off = hand_off
        return self

    def submit(self) -> Job:
        job = make_job()
        assert self.queue.put(job)
        return job

    def close(self, timeout_s: float = 10) -> None:
        for job in self.queue.close():
            job.fail(REASON)
        self.worker.stop(REASON, timeout_s)


class Table:
    """A shared device that does nothing, but has the thread."""

    most_rows = 3

    def __init__(self) -> None:
        self.is_ready = False
        self.turns = Turns()
        self._woken = threading.Event()

    def serve(self, on_ready: Callable[[], None], is_over: Callable[[], bool]) -> None:
        self.is_ready = True
        on_ready()
        while not is_over():
            self._woken.wait()
            self._woken.clear()

    def wake(self) -> None:
        self._woken.set()

    def at_rest(self, check: Callable[[], None]) -> AbstractContextManager[None]:
        return self.turns.take(check)


MakeHouse = Callable[..., House]


def failing_worker(err: BaseException) -> list[ModelUnavailable]:
    problems: list[ModelUnavailable] = []
    told = threading.Event()

    def open_drawer(hand_off: HandOff) -> Any:
        raise err

    def tell(problem: ModelUnavailable) -> None:
        problems.append(problem)
        told.set()

    worker = Worker(JobQueue(10), open_drawer, tell)
    worker.start()
    assert told.wait(10)
    worker.stop(REASON, 10)
    return problems
