import asyncio
from dataclasses import replace

import pytest

from engine import (
    Engine,
    EngineStatus,
    ImageRequest,
    JobSnapshot,
    JobState,
    Preview,
    Progress,
    VideoRequest,
)
from engine.errors import BadOutput
from engine.snapshots import ImageResult
from tests.stage import Stage, busy, done
from ui.bookmark import bookmark_value, bookmarked
from ui.progress import (
    Moment,
    error_html,
    find_again,
    follow,
    make,
    progress_html,
    share_done,
    stage_words,
    words_for_s,
)

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


def test_scenes_that_are_drawn_together_are_told_of_together() -> None:
    moment = at(at_once=3, steps_beside=10)
    assert stage_words(moment, READY) == "Scene 2 and 2 more of 4, step 5 of 10"
    assert share_done(moment) / share_done(SNAPSHOT) == pytest.approx((10 + 5 + 10) / (10 + 5))


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
        return [moment async for moment in make(engine, lambda: request, "")]

    *running, last = asyncio.run(follow())
    assert all(moment.running and moment.html for moment in running)
    assert isinstance(last.result, ImageResult)
    assert not last.running


def test_leaving_does_not_cancel(engine: Engine) -> None:
    async def leave() -> str:
        moments = make(engine, lambda: ImageRequest(prompt="a fox", width=64, height=64), "")
        first = await anext(moments)
        await moments.aclose()
        return first.job_id

    job = engine.job(asyncio.run(leave()))
    assert job.wait(60)
    assert job.state is JobState.SUCCEEDED


def test_a_model_that_is_not_there_is_told_with_its_remedy(make_engine) -> None:
    engine = make_engine(model="/nowhere")

    async def follow() -> list:
        return [moment async for moment in make(engine, lambda: ImageRequest(prompt="a fox"), "")]

    last = asyncio.run(follow())[-1]
    assert 'role="alert"' in last.html
    assert "--model" in last.html


def small(**fields: object) -> ImageRequest:
    plain = {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": 10}
    return ImageRequest.model_validate({**plain, **fields})


def test_one_of_several_tells_its_place() -> None:
    html = progress_html(replace(at(), kind="image"), READY, place=(2, 4))
    assert "Picture 2 of 4: step 5 of 10" in html
    assert "Picture" not in progress_html(replace(at(), kind="image"), READY)


def test_several_are_followed_as_one(engine_on_stage: Engine, stage: Stage) -> None:
    first = done(engine_on_stage, stage, small())
    jobs = [first, *(engine_on_stage.submit(small(seed=seed)) for seed in (1, 2))]

    async def look() -> list[Moment]:
        seen = []
        async for moment in follow(engine_on_stage, jobs, "said "):
            seen.append(moment)
            stage.go.release()
        return seen

    *running, last = asyncio.run(look())
    ids = tuple(job.id for job in jobs)
    assert {moment.job_ids for moment in (*running, last)} == {ids}
    assert "Picture 1 of 2" in running[0].html and tuple(running[0].results) == ids[:1]
    assert any("Picture 2 of 2" in moment.html for moment in running)
    assert tuple(last.results) == ids and last.html == "said "


def test_who_follows_is_shown_previews(engine_on_stage: Engine, stage: Stage) -> None:
    job = busy(engine_on_stage, stage, small())
    preview = Preview(1, 3, b"jpeg")

    async def look() -> Moment:
        moments = follow(engine_on_stage, [job])
        assert (await anext(moments)).preview is None and job.is_watched
        job.show(preview)
        return await anext(moments)

    assert asyncio.run(look()).preview is preview
    stage.go.release()


def found(engine: Engine, *job_ids: str, kind: type = ImageRequest) -> list[str]:
    return [job.id for job in asyncio.run(find_again(engine, job_ids, kind))]


def test_jobs_are_found_again_in_their_order(engine_on_stage: Engine, stage: Stage) -> None:
    ended, running = done(engine_on_stage, stage), busy(engine_on_stage, stage)
    assert found(engine_on_stage, running.id, ended.id) == [running.id, ended.id]
    running.cancel()


def test_what_nobody_waits_for_is_not_found(engine_on_stage: Engine, stage: Stage) -> None:
    foreign = done(engine_on_stage, stage, owner="somebody else")
    gone, kept = (done(engine_on_stage, stage) for _ in range(2))
    cancelled = busy(engine_on_stage, stage)
    cancelled.cancel()
    assert cancelled.wait(10)
    gone.result().path.unlink()
    ids = ("f" * 32, foreign.id, cancelled.id, gone.id, kept.id)
    assert found(engine_on_stage, *ids) == [kept.id]
    assert found(engine_on_stage, kept.id, kind=VideoRequest) == []


def test_a_failure_is_found_and_told(engine_on_stage: Engine, stage: Stage) -> None:
    job = busy(engine_on_stage, stage)
    stage.faults[job.id] = BadOutput("Black.")
    stage.go.release()
    assert job.wait(10)
    assert found(engine_on_stage, job.id) == [job.id]

    async def last() -> Moment:
        return [moment async for moment in follow(engine_on_stage, [job])][-1]

    assert "Black." in asyncio.run(last()).html


@pytest.mark.parametrize("value", [None, 3, {}, ["a" * 32], "", "x", "A" * 32])
def test_a_bookmark_holds_ids_or_nothing(value: object) -> None:
    assert bookmarked(value) == ()


def test_a_bookmark_comes_back_and_has_an_end() -> None:
    ids = tuple(f"{number:032x}" for number in range(5))
    assert bookmarked(bookmark_value(ids)) == ids
    assert len(bookmarked("f" * 32 * 1000)) < 10
