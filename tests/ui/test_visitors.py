"""Submitting in a visitor's name: off the event loop, and never left without its caller."""

import asyncio
import threading
from typing import Any

import pytest

from engine import Engine, EngineError, Job, JobState
from engine.errors import QueueFull
from tests.stage import Stage, busy
from tests.work import image, until
from ui.visitors import submit


def held(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[Job]]:
    """Have the journal take its time until the event is set; returns it and what it accepted."""
    go, accepted, accept = threading.Event(), [], engine._archive.journal.accept

    def slowly(job: Job, *more: Any) -> None:
        go.wait(30)
        accept(job, *more)
        accepted.append(job)

    monkeypatch.setattr(engine._archive.journal, "accept", slowly)
    return go, accepted


def test_the_event_loop_turns_while_the_journal_is_written(
    engine_on_stage: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, _ = held(engine_on_stage, monkeypatch)

    async def both() -> Job:
        coming = asyncio.create_task(submit(engine_on_stage, image()))
        await asyncio.sleep(0.05)
        assert not coming.done()
        go.set()
        return await coming

    assert asyncio.run(both()).state in (JobState.QUEUED, JobState.RUNNING)


@pytest.mark.parametrize("attended", [True, False])
def test_a_call_that_is_cancelled_before_its_job_is_there(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch, attended: bool
) -> None:
    go, accepted = held(engine_on_stage, monkeypatch)

    async def leave() -> None:
        coming = asyncio.create_task(submit(engine_on_stage, image(), attended=attended))
        await asyncio.sleep(0.05)
        coming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await coming
        go.set()
        while not accepted:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # so that the loop hears of it

    asyncio.run(leave())
    (job,) = accepted
    if attended:
        until(lambda: job.state is JobState.CANCELLED)
    else:
        stage.go.release()
        assert job.wait(30)
        assert job.state is JobState.SUCCEEDED


def test_a_refusal_is_raised_to_the_caller(make_engine: Any, stage: Stage) -> None:
    engine = make_engine(max_queue=1)
    busy(engine, stage)
    engine.submit(image())
    with pytest.raises(EngineError) as refused:
        asyncio.run(submit(engine, image()))
    assert isinstance(refused.value, QueueFull)
