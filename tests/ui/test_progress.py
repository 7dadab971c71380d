import asyncio
from dataclasses import replace

import pytest

from engine import Engine, EngineStatus, ImageRequest, JobSnapshot, JobState, Progress
from engine.snapshots import ImageResult
from ui.progress import error_html, follow_job, progress_html, share_done, stage_words, words_for_s

READY = EngineStatus("ready", "cpu")
SNAPSHOT = JobSnapshot(
    id="a",
    kind="video",
    state=JobState.RUNNING,
    progress=Progress("denoising", scene=2, scenes=4, step=5, steps=10, eta_s=75.0),
    queue_position=None,
    created_at=0.0,
    started_at=0.0,
    finished_at=None,
    version=3,
)


def at(state: JobState = JobState.RUNNING, **progress: object) -> JobSnapshot:
    return replace(SNAPSHOT, state=state, progress=replace(SNAPSHOT.progress, **progress))


def test_progress_is_told_by_scene_and_step_with_the_time_left() -> None:
    html = progress_html(SNAPSHOT, READY, left_s=70.0)
    assert "Scene 2 of 4, step 5 of 10" in html
    assert "about 1 min 10 s left" in html
    assert 'role="progressbar"' in html


def test_what_waits_says_for_what() -> None:
    queued = replace(at(JobState.QUEUED), queue_position=2)
    assert stage_words(queued, READY) == "3 in line"
    assert stage_words(replace(queued, queue_position=0), READY) == "Next in line"
    loading = EngineStatus("loading", "pending")
    assert stage_words(queued, loading) == "Waiting for the model to load"


def test_the_bar_never_goes_back() -> None:
    moments = [at(scene=s, step=k) for s in range(1, 5) for k in range(11)]
    moments += [
        at(stage="encoding", scene=4, step=10, frame=f, frames=96) for f in range(0, 97, 12)
    ]
    shares = [share_done(moment) for moment in moments]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3700, "1 h 01 min")]
)
def test_lengths_of_time_read_well(seconds: float, words: str) -> None:
    assert words_for_s(seconds) == words


def test_texts_are_escaped() -> None:
    assert "<script>" not in error_html("<script>alert(1)</script>", "<b>")
    assert "<script>" not in progress_html(at(), READY)


def test_following_a_job_ends_with_its_result(engine: Engine) -> None:
    async def follow() -> list:
        request = ImageRequest(prompt="a fox", width=64, height=64, num_inference_steps=10)
        return [moment async for moment in follow_job(engine, request)]

    *running, last = asyncio.run(follow())
    assert all(moment.running and moment.html for moment in running)
    assert isinstance(last.result, ImageResult)
    assert not last.running


def test_leaving_does_not_cancel(engine: Engine) -> None:
    async def leave() -> str:
        moments = follow_job(engine, ImageRequest(prompt="a fox", width=64, height=64))
        first = await anext(moments)
        await moments.aclose()
        return first.job_id

    job = engine.job(asyncio.run(leave()))
    assert job.wait(60)
    assert job.state is JobState.SUCCEEDED


def test_a_model_that_is_not_there_is_told_with_its_remedy(make_engine) -> None:
    engine = make_engine(model="/nowhere")

    async def follow() -> list:
        return [moment async for moment in follow_job(engine, ImageRequest(prompt="a fox"))]

    last = asyncio.run(follow())[-1]
    assert 'role="alert"' in last.html
    assert "--model" in last.html
