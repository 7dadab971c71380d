"""Threads that make jobs side by side, on a device that does nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine import JobState
from engine.errors import BadOutput
from engine.jobs import Job
from engine.snapshots import Result
from tests.house import REASON, RESULT, House, Table
from tests.work import until


@pytest.fixture
def shared() -> Iterator[Callable[[Callable[[Job], Callable[[], Result]]], House]]:
    houses: list[House] = []

    def make(draw: Callable[[Job], Callable[[], Result]]) -> House:
        house = House(draw)
        house.worker.share(Table())
        house.worker.start()
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()


def test_as_many_jobs_are_made_at_a_time_as_share_a_pass(shared: Any) -> None:
    at_once, names = threading.Barrier(3), set[str]()

    def draw(job: Job) -> Callable[[], Result]:
        names.add(threading.current_thread().name)
        at_once.wait(10)  # ends only if three are here
        return lambda: RESULT

    house = shared(draw)
    jobs = [house.submit() for _ in range(6)]
    assert all(job.wait(10) and job.state is JobState.SUCCEEDED for job in jobs)
    assert names == {"maker-0", "maker-1", "maker-2"} and house.worker.unfinished() == []


def test_a_maker_goes_on_after_a_fault_of_one_job(shared: Any) -> None:
    faults: list[BaseException] = [SystemExit(1), KeyError("x"), BadOutput("NaN")]

    def draw(job: Job) -> Callable[[], Result]:
        if faults:
            raise faults.pop()
        return lambda: RESULT

    house = shared(draw)
    jobs = [house.submit() for _ in range(8)]
    assert all(job.wait(10) for job in jobs)
    assert sum(job.state is JobState.SUCCEEDED for job in jobs) == 5


def test_who_waits_to_be_written_can_be_cancelled(shared: Any) -> None:
    writing, let_go, drawn = threading.Event(), threading.Event(), list[Job]()

    def draw(job: Job) -> Callable[[], Result]:
        def write() -> Result:
            writing.set()
            assert let_go.wait(30)
            return RESULT

        drawn.append(job)
        return write

    house = shared(draw)
    first = house.submit()
    assert writing.wait(10)
    second, third = house.submit(), house.submit()
    until(lambda: len(drawn) == 3)
    second.cancel()
    assert second.wait(10) and second.state is JobState.CANCELLED
    assert first.state is JobState.RUNNING and third.state is JobState.RUNNING
    let_go.set()
    assert all(job.wait(10) and job.state is JobState.SUCCEEDED for job in (first, third))


def test_one_file_is_written_at_a_time(shared: Any) -> None:
    at_once, most = 0, list[int]()

    def write() -> Result:
        nonlocal at_once
        at_once += 1
        most.append(at_once)
        time.sleep(0.01)
        at_once -= 1
        return RESULT

    house = shared(lambda job: write)
    jobs = [house.submit() for _ in range(8)]
    assert all(job.wait(10) for job in jobs)
    assert len(most) == 8 and max(most) == 1


def allow_makers(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let only so many of them be started."""
    start = threading.Thread.start

    def start_some(thread: threading.Thread) -> None:
        if thread.name in {f"maker-{n}" for n in range(number, Table.most_rows)}:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)


def test_fewer_makers_than_wished_for_will_do(shared: Any, monkeypatch: Any) -> None:
    allow_makers(monkeypatch, 1)
    house = shared(lambda job: lambda: RESULT)
    jobs = [house.submit() for _ in range(5)]
    assert all(job.wait(10) and job.state is JobState.SUCCEEDED for job in jobs)
    house.close()
    assert house.problems == []


def test_without_any_maker_the_model_is_told_to_be_unavailable(
    shared: Any, monkeypatch: Any
) -> None:
    allow_makers(monkeypatch, 0)
    house = shared(lambda job: lambda: RESULT)
    until(lambda: bool(house.problems))
    (problem,) = house.problems
    assert "thread" in problem.message and problem.advice


def test_closing_a_shared_house_leaves_no_threads(shared: Any) -> None:
    before = set(threading.enumerate())

    def spin(job: Job) -> Callable[[], Result]:
        while True:
            job.token.check()
            time.sleep(0.001)

    house = shared(spin)
    jobs = [house.submit() for _ in range(5)]
    until(lambda: len(house.worker.unfinished()) == 3)
    house.close()
    assert all(job.wait(0) and job.error is REASON for job in jobs)
    assert set(threading.enumerate()) - before == set()
