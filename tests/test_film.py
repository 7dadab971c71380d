"""Films that begin while later scenes are drawn, and when they do not."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import Engine, JobState, assembly
from engine.errors import BadOutput, DeadlinePassed, EncoderFailed, JobCancelled, ShuttingDown
from engine.estimate import Estimator
from engine.film import Film
from engine.frames import story_frames
from engine.jobs import CancelToken, Job
from engine.metadata import VideoManifest
from engine.planes import Frame
from engine.reel import DrawnScene, Reel
from engine.rows import Order, Picture
from engine.snapshots import Progress
from tests.conftest import EngineFactory
from tests.house import Table
from tests.movies import decode_planes, read_comment
from tests.stub_sampler import StubSampler, open_production
from tests.work import files, story, until

TWO_SCENES = 3 + 2 + 3
"""Frames that the first two scenes of `work.story` have, with what is between them."""


class Gated(StubSampler):
    """Draws a scene once its seed is allowed; those with a fault fail then."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed: set[int] = set()
        self.faults: dict[int, Exception] = {}

    def generate(self, order: Order) -> Picture:
        while order.task.seed not in self.allowed:
            order.token.check()
            threading.Event().wait(0.002)
        if order.task.seed in self.faults:
            raise self.faults[order.task.seed]
        return super().generate(order)


@pytest.fixture
def sampler() -> Gated:
    return Gated()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The thread of every frame that is on its way to an encoder."""
    threads: list[str] = []

    def watched(*shots: Any) -> Iterator[Frame]:
        for frame in story_frames(*shots):
            threads.append(threading.current_thread().name)
            yield frame

    monkeypatch.setattr(assembly, "story_frames", watched)
    return threads


@pytest.fixture
def open_engine(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch, sampler: Gated
) -> Callable[..., Engine]:
    """Open an engine that encodes while it draws, several stories at a time if `rows` says so."""

    def make(*, overlap: bool = True, rows: int = 1, **settings: Any) -> Engine:
        def open_drawer(engine: Engine, hand_off: Any) -> Any:
            if overlap:
                engine._worker.allow_overlap()
            if rows > 1:
                table = Table()
                table.most_rows = rows
                engine._worker.share(table)
            return open_production(sampler)(engine, hand_off)

        monkeypatch.setattr(Engine, "_open_drawer", open_drawer)
        return make_engine(**settings)

    return make


@pytest.fixture
def engine(open_engine: Callable[..., Engine]) -> Engine:
    return open_engine()


def parts(engine: Engine) -> list[str]:
    """The films that are being written."""
    return [path.name for path in files(engine) if path.name.endswith("video.mp4.part")]


def encoders() -> list[psutil.Process]:
    return [process for process in psutil.Process().children() if "ffmpeg" in process.name()]


def waiting_film(engine: Engine, sampler: Gated, written: list[str], scenes: int = 4) -> Job:
    """A story of which two scenes are drawn and filmed, and the third is waited for."""
    job = engine.submit(story(scenes, seed=1))
    sampler.allowed |= {1, 2}
    until(lambda: len(written) == TWO_SCENES and len(parts(engine)) == 1)
    assert len(sampler.drawn) == 2 and len(encoders()) == 1
    return job


def assert_nothing_is_left(engine: Engine) -> None:
    assert parts(engine) == [] and encoders() == []
    assert not [path for path in files(engine) if path.name in ("video.mp4", "poster.jpg")]


def assert_the_next_succeeds(engine: Engine, sampler: Gated) -> None:
    sampler.allowed |= {11, 12, 13}
    sampler.faults.clear()
    job = engine.submit(story(3, seed=11))
    assert job.wait(30) and job.state is JobState.SUCCEEDED


def test_a_film_grows_while_its_scenes_are_drawn(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    job = waiting_film(engine, sampler, written)
    sampler.allowed.add(3)
    until(lambda: len(written) == TWO_SCENES + 5)
    assert len(sampler.drawn) == 3 and job.snapshot().progress.stage == "denoising"
    sampler.allowed.add(4)
    assert job.wait(30) and job.state is JobState.SUCCEEDED
    assert len(written) == TWO_SCENES + 10 and {name[:5] for name in written} == {"ahead"}
    result = engine.result(job)
    assert len(decode_planes(result.path, 64, 64)) == TWO_SCENES + 10


def test_a_film_is_the_same_whenever_it_begins(
    open_engine: Callable[..., Engine], sampler: Gated, written: list[str], tmp_path: Path
) -> None:
    sampler.allowed |= {1, 2, 3, 4}
    films = []
    for overlap in (False, True):
        if overlap:
            sampler.allowed -= {3, 4}
        engine = open_engine(overlap=overlap, data_dir=tmp_path / str(overlap))
        job = engine.submit(story(4, seed=1, motion="zoom_in", captions="burned"))
        until(lambda: len(written) >= TWO_SCENES)
        sampler.allowed |= {3, 4}
        assert job.wait(30)
        films.append(engine.result(job).path.read_bytes())
        assert {name[:5] for name in written} == {"ahead" if overlap else "assem"}
        written.clear()
    assert films[0] == films[1]


def test_the_manifest_tells_what_was_not_known_when_the_film_began(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    job = waiting_film(engine, sampler, written)
    sampler.allowed |= {3, 4}
    assert job.wait(30)
    manifest = VideoManifest.model_validate_json(read_comment(engine.result(job).path))
    assert manifest.draw_s == (7.0,) * 4
    assert manifest.scenes == tuple(scene.recipe for scene in engine.scenes(job.id))
    assert b"999999" not in engine.result(job).path.read_bytes()


def test_without_overlap_a_film_begins_after_its_last_scene(
    open_engine: Callable[..., Engine], sampler: Gated, written: list[str]
) -> None:
    engine = open_engine(overlap=False)
    job = engine.submit(story(4, seed=1))
    sampler.allowed |= {1, 2, 3}
    until(lambda: len(engine.scenes(job.id)) == 3)
    assert written == [] and parts(engine) == []
    sampler.allowed.add(4)
    assert job.wait(30) and job.state is JobState.SUCCEEDED


def test_progress_grows_and_tells_of_frames_after_the_last_scene(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    told: list[Progress] = []
    engine.listen(lambda job: told.append(job.snapshot().progress))
    job = waiting_film(engine, sampler, written)
    sampler.allowed |= {3, 4}
    assert job.wait(30)
    places = [(p.scene, p.step, p.frame) for p in told]
    assert places == sorted(places)
    stages = [p.stage for p in told]
    first = stages.index("encoding")
    assert set(stages[:first]) == {"waiting", "denoising", "decoding"}
    assert set(stages[first:]) == {"encoding", "done"}
    assert told[first].scene == 4 and told[first].frames == TWO_SCENES + 10


def test_a_scene_that_fails_ends_the_film_that_waits(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    sampler.faults[3] = BadOutput("NaN")
    job = waiting_film(engine, sampler, written)
    sampler.allowed.add(3)
    assert job.wait(30) and isinstance(job.error, BadOutput)
    assert_nothing_is_left(engine)
    assert_the_next_succeeds(engine, sampler)


def test_a_story_cancelled_while_its_film_waits_leaves_no_film(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    job = waiting_film(engine, sampler, written)
    job.cancel()
    assert job.wait(30) and isinstance(job.error, JobCancelled)
    assert_nothing_is_left(engine)
    assert len(engine.scenes(job.id)) == 2
    assert_the_next_succeeds(engine, sampler)


def test_the_end_of_its_time_ends_a_film_that_waits(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    job = waiting_film(engine, sampler, written)
    job.expire()
    assert job.wait(30) and isinstance(job.error, DeadlinePassed)
    assert_nothing_is_left(engine)


def test_closing_ends_a_film_that_waits(
    engine: Engine, sampler: Gated, written: list[str], threads_before: set[threading.Thread]
) -> None:
    job = waiting_film(engine, sampler, written)
    engine.close()
    assert job.wait(0) and isinstance(job.error, ShuttingDown)
    assert_nothing_is_left(engine)
    left = {thread.name for thread in set(threading.enumerate()) - threads_before}
    assert not [name for name in left if name.startswith(("ahead", "device", "encoder"))]


def test_an_encoder_that_dies_ends_the_story_before_its_last_scene(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    job = waiting_film(engine, sampler, written, scenes=40)
    encoders()[0].kill()
    for seed in range(3, 41):
        sampler.allowed.add(seed)
        if job.wait(0.05):
            break
    assert job.wait(30) and isinstance(job.error, EncoderFailed)
    assert len(sampler.drawn) < 40
    assert_nothing_is_left(engine)
    assert_the_next_succeeds(engine, sampler)


def test_scenes_that_are_there_already_begin_the_film(
    engine: Engine, sampler: Gated, written: list[str]
) -> None:
    sampler.allowed |= {1, 2, 3}
    seeds = {"scene_seeds": [1, 2, 3]}
    assert engine.submit(story(3, **seeds)).wait(30)
    sampler.allowed.clear()
    sampler.drawn.clear()
    written.clear()
    job = engine.submit(story(4, scene_seeds=[1, 2, 4, 3]), reuse=True)
    until(lambda: len(written) == TWO_SCENES)
    assert sampler.drawn == []
    sampler.allowed.add(4)
    assert job.wait(30) and job.state is JobState.SUCCEEDED
    assert [task.seed for task in sampler.drawn] == [4]
    assert [scene.seed for scene in engine.scenes(job.id)] == [1, 2, 4, 3]


def test_a_film_that_waits_keeps_no_whole_story_from_its_own(
    open_engine: Callable[..., Engine], sampler: Gated
) -> None:
    engine = open_engine(rows=8, max_queue=100)  # four stories at a time
    starts = {engine.submit(story(4, seed=seed)): seed for seed in (10, 20, 30, 40)}
    for start in starts.values():
        sampler.allowed |= {start, start + 1}
    until(lambda: len(sampler.drawn) == 8 and len(parts(engine)) == 2)
    begun = {name.partition("-")[0] for name in parts(engine)}
    others = [job for job in starts if job.id not in begun]
    assert len(others) == 2
    for job in others:
        sampler.allowed |= {starts[job] + 2, starts[job] + 3}
    assert all(job.wait(30) and job.state is JobState.SUCCEEDED for job in others)
    assert len(engine._worker.unfinished()) == 2
    for start in starts.values():
        sampler.allowed |= {start + 2, start + 3}
    assert all(job.wait(30) and job.state is JobState.SUCCEEDED for job in starts)
    for job in starts:
        assert len(decode_planes(engine.result(job).path, 64, 64)) == TWO_SCENES + 10
    assert parts(engine) == [] and encoders() == []


def scene() -> DrawnScene:
    still: Future[Path] = Future()
    still.set_result(Path("still.png"))
    return DrawnScene(1.0, still)


def make_film(begin: Any, scenes: int = 4) -> tuple[Film, Reel]:
    recipes: Any = [None] * scenes
    reel = Reel(recipes, CancelToken())
    estimator = Estimator()
    estimator.observe("frame", 64 * 64, 0.5)  # 12 held ones, 6 that count four times
    film = Film(reel, story(scenes), lambda: pytest.fail("made"), begin, estimator)
    return film, reel


def test_it_asks_at_every_scene_but_the_first_and_the_last() -> None:
    asked: list[int] = []
    film, reel = make_film(lambda work: asked.append(reel.there), scenes=5)
    for _ in range(5):
        film.add(scene())
    assert asked == [2, 3, 4] and callable(film.rest())


def test_it_asks_no_more_once_it_has_begun() -> None:
    made: Future[Any] = Future()
    asked: list[Any] = []
    film, _ = make_film(lambda work: (asked.append(work), made)[1])
    for _ in range(4):
        film.add(scene())
    assert len(asked) == 1 and film.rest() is made


def test_the_time_left_counts_of_the_film_only_what_drawing_does_not_hide() -> None:
    film, reel = make_film(lambda work: Future())
    assert film.ends_in_s(100.0) == 100 + 18
    film.add(scene())
    film.add(scene())
    assert film.ends_in_s(100.0) == 100 + 2 + 3
    assert film.ends_in_s(0.0) == 18
    reel.frames = 10
    assert film.ends_in_s(0.0) == 8
