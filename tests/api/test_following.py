"""Many follow one job: each change is put into words once, and a quiet stream shows it lives."""

import asyncio
from typing import Any

import pytest

from api import following
from api.following import Events
from engine import Engine, Job
from tests.stage import Stage, busy
from tests.work import image


def told(events: Events, job: Job, base: str = "") -> bytes:
    return events.progress(job, job.snapshot(), str(job.snapshot().version), base)


def test_followers_of_one_job_share_the_words(engine_on_stage: Engine, stage: Stage) -> None:
    job, events = busy(engine_on_stage, stage), Events()
    first = told(events, job)
    assert told(events, job) is first
    job.report(step=3)
    then = told(events, job)
    assert then is told(events, job)
    assert b'"step":3' in then and b'"step":3' not in first


def test_words_are_kept_apart(engine_on_stage: Engine, stage: Stage) -> None:
    events, first = Events(), busy(engine_on_stage, stage)
    second = engine_on_stage.submit(image())
    assert first.id.encode() in told(events, first)
    assert second.id.encode() in told(events, second)
    assert f'"/behind/a/proxy/jobs/{first.id}"'.encode() in told(events, first, "/behind/a/proxy")


def test_a_quiet_stream_shows_that_it_lives(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_PING_S", 0.0)
    monkeypatch.setattr(following, "_FOLLOW_S", 0.01)
    job = busy(engine_on_stage, stage)

    async def listen() -> list[bytes]:
        stream: Any = following._tell(Events(), job, "", None, previews=False)
        heard = [await anext(stream), await anext(stream)]
        await stream.aclose()
        return heard

    progress, ping = asyncio.run(listen())
    assert progress.startswith(b"event: progress\n")
    assert ping == b": ping\n\n"
