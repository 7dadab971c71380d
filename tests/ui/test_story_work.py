"""The buttons of the story tab, without a browser."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from engine import Engine, JobState, VideoRequest
from engine.rows import Order, Picture
from tests.conftest import EngineFactory
from tests.stub_sampler import StubSampler, open_production
from tests.work import image, story, until
from ui.scene_pictures import look_at_scenes, picture_html
from ui.story_form import story_board, story_values
from ui.story_now import Written
from ui.story_work import cancel, draw_missing, keep_seed, leave, make_video, redraw
from ui.storyboard import Board, Source


class Held(StubSampler):
    """Draws nothing while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.held = False

    def generate(self, order: Order) -> Picture:
        while self.held:
            order.token.check()
            time.sleep(0.002)
        return super().generate(order)


@pytest.fixture
def sampler() -> Held:
    return Held()


@pytest.fixture
def engine(make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, sampler: Held) -> Engine:
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    return make_engine(max_queue=4)


def page(request: VideoRequest | None = None, **changes: Any) -> Written:
    request = request or small_story()
    now = Written(story_values(request), story_board(request), {}, None, "", None, True)
    return replace(now, **changes)


def small_story(**changes: Any) -> VideoRequest:
    fields = {**story(3).model_dump(), "scenes": ["one", "two", "three"], **changes}
    return VideoRequest(**fields)


def after(now: Written, started: tuple[Any, ...]) -> Written:
    """The page once the values of a handler have come."""
    notice, sources, job_id, _ = started
    changes = {"notice": notice, "sources": sources, "job_id": job_id}
    skipped = {name for name, value in changes.items() if value == gr.skip()}
    return replace(now, **{k: v for k, v in changes.items() if k not in skipped})


def settle(engine: Engine) -> None:
    until(lambda: all(job.state.is_terminal for job in engine.jobs(limit=100)))


def states(engine: Engine, now: Written) -> list[str]:
    pictures = look_at_scenes(engine, [draft.id for draft in now.board], now.sources)
    return [pictures[draft.id].state for draft in now.board]


def made(engine: Engine, now: Written) -> Written:
    now = after(now, draw_missing(engine, now))
    settle(engine)
    assert states(engine, now) == ["drawn"] * len(now.board)
    return now


def test_pressed_twice_it_is_one_video(engine: Engine, sampler: Held) -> None:
    sampler.held = True
    now = after(page(), make_video(engine, page()))
    assert make_video(engine, now) == (gr.skip(),) * 4
    assert len(engine.jobs()) == 1
    sampler.held = False
    settle(engine)
    again = after(now, make_video(engine, now))
    settle(engine)
    assert again.job_id != now.job_id and len(sampler.drawn) == 3


def test_long_words_are_drawn_as_they_are_told(engine: Engine, sampler: Held) -> None:
    now = page(small_story(hero_description="h" * 3000, scenes=["s" * 3000, "t", "u"]))
    made(engine, now)
    assert len(sampler.drawn[0].prompt) == 6002


def test_scenes_leave_the_storys_seed_when_they_are_redrawn(engine: Engine, sampler: Held) -> None:
    now = made(engine, page(small_story(seed=7)))
    assert [task.seed for task in sampler.drawn] == [7, 8, 9]
    for index in (0, 1):
        seed, *started = redraw(engine, index, now)
        settle(engine)
        assert seed == str(sampler.drawn[-1].seed)
        drafts = list(now.board)
        drafts[index] = replace(drafts[index], seed=seed)
        now = replace(after(now, tuple(started)), board=tuple(drafts))
    sampler.drawn.clear()
    make_video(engine, now)
    settle(engine)
    assert sampler.drawn == []


def test_without_a_seed_of_the_story_the_field_stays_free(engine: Engine) -> None:
    now = made(engine, page())
    seed, *_ = redraw(engine, 1, now)
    assert seed == gr.skip()


def test_the_old_picture_stands_in_for_one_that_did_not_come(engine: Engine, sampler: Held) -> None:
    now = made(engine, page())
    sampler.held = True
    _, *started = redraw(engine, 1, now)
    now = after(now, tuple(started))
    until(lambda: states(engine, now)[1] == "drawing")
    cancel(engine, now.sources, now.job_id)
    settle(engine)
    assert states(engine, now) == ["drawn"] * 3
    picture = look_at_scenes(engine, [now.board[1].id], now.sources)[now.board[1].id]
    assert "cancelled" in picture.why
    assert "cancelled" in picture_html(picture, 2, "two", changed=False)
    assert draw_missing(engine, now)[0].count("Nothing to draw.") == 1


def test_a_twin_keeps_the_picture_that_its_double_is_rid_of(engine: Engine, sampler: Held) -> None:
    sampler.held = True
    now = after(page(), draw_missing(engine, page()))
    first, twin, _ = (draft.id for draft in now.board)
    shared = {**now.sources, twin: now.sources[first]}
    left = {id_: source for id_, source in shared.items() if id_ != first}
    leave(engine, shared, left)
    leave(engine, left, {})
    sampler.held = False
    settle(engine)
    gone = {job.id for job in engine.jobs() if job.state is JobState.CANCELLED}
    assert gone == {shared[twin].job_id, shared[now.board[2].id].job_id}


def test_what_the_queue_takes_comes_though_it_does_not_take_all(
    engine: Engine, sampler: Held
) -> None:
    sampler.held = True
    busy = engine.submit(image())
    until(lambda: busy.state is JobState.RUNNING)
    now = page(small_story(scenes=[f"scene {k}" for k in range(6)]))
    now = after(now, draw_missing(engine, now))
    assert "queue is full" in now.notice
    assert states(engine, now) == ["waiting"] * 4 + ["empty"] * 2
    sampler.held = False
    settle(engine)
    assert states(engine, made(engine, now)) == ["drawn"] * 6


def test_a_video_of_pictures_that_wait_fits_beside_them(engine: Engine, sampler: Held) -> None:
    sampler.held = True
    now = page()
    now = after(now, draw_missing(engine, now))
    until(lambda: states(engine, now)[0] == "drawing")
    now = after(now, make_video(engine, now))  # 2 + 3 would be more than the 4 that may wait
    assert now.notice == "" and now.job_id is not None
    sampler.held = False
    settle(engine)
    assert len(sampler.drawn) == 3


def test_a_failed_video_is_forgotten_when_pictures_are_begun(engine: Engine, sampler: Held) -> None:
    sampler.held = True
    now = after(page(), make_video(engine, page()))
    cancel(engine, now.sources, now.job_id)
    settle(engine)
    sampler.held = False
    assert draw_missing(engine, now)[2] is None


def test_a_seed_is_kept_from_the_picture(engine: Engine, sampler: Held) -> None:
    now = made(engine, page())
    id_ = now.board[2].id
    assert keep_seed(engine, id_, now.sources, "") == str(sampler.drawn[2].seed)
    assert keep_seed(engine, id_, now.sources, "5") == gr.skip()
    assert keep_seed(engine, id_, {}, "") == gr.skip()


@pytest.mark.parametrize("source", [Source("unknown"), Source("theirs"), Source("own", 2)])
def test_what_is_not_there_is_empty(engine: Engine, source: Source) -> None:
    jobs = {"theirs": engine.submit(image(), owner="somebody"), "own": engine.submit(image())}
    assert all(job.wait(30) for job in jobs.values())
    if source.job_id in jobs:
        source = replace(source, job_id=jobs[source.job_id].id)
    assert look_at_scenes(engine, [1], {1: source})[1].state == "empty"


def test_a_picture_whose_file_is_gone_is_empty(engine: Engine) -> None:
    now = made(engine, page())
    result = engine.job(now.sources[now.board[0].id].job_id).result()
    Path(result.path).unlink()
    assert states(engine, now) == ["empty", "drawn", "drawn"]


def test_words_of_a_visitor_are_no_html(engine: Engine) -> None:
    now = made(engine, page())
    picture = look_at_scenes(engine, [now.board[0].id], now.sources)[now.board[0].id]
    html = picture_html(picture, 1, '"><script>alert(1)</script>', changed=True)
    assert "<script" not in html and "Changed since" in html


def test_scenes_without_words_are_not_drawn(engine: Engine, sampler: Held) -> None:
    now = page()
    board: Board = (replace(now.board[0], text=" "), *now.board[1:])
    now = replace(now, board=board)
    now = after(now, draw_missing(engine, now))
    settle(engine)
    assert states(engine, now) == ["empty", "drawn", "drawn"]
    assert "no words yet" in redraw(engine, 0, now)[1]
    assert "Scene 1: must not be blank" in make_video(engine, now)[0]
    assert len(sampler.drawn) == 2
