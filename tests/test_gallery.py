"""What is kept: seen by its owner alone, small at the first look, and gone once removed."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine import Engine, JobState
from engine.errors import JobNotFound, NotEnded, ResultGone, StorageFull
from engine.gallery import THUMBNAIL
from engine.jobs import Job
from engine.records import Record
from engine.store import Store
from tests.conftest import EngineFactory
from tests.stage import Stage, busy, crashed, done
from tests.stub_sampler import open_production
from tests.work import files, image, story


@pytest.fixture
def studio(make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Engine]:
    """Makes engines on one data folder that really write pictures and videos."""
    monkeypatch.setattr(Engine, "_open_drawer", open_production())
    return make_engine


def made(engine: Engine, request: Any, **terms: Any) -> Job:
    job = engine.submit(request, **terms)
    assert job.wait(60) and job.state is JobState.SUCCEEDED, job.error
    return job


def shown(engine: Engine, **asked: Any) -> list[str]:
    return [record.snapshot.id for record in engine.gallery.newest(**asked)]


def record_of(engine: Engine, job: Job) -> Record:
    (found,) = (r for r in engine.gallery.newest() if r.snapshot.id == job.id)
    return found


def test_the_newest_comes_first_also_after_a_restart(studio: Callable[[], Engine]) -> None:
    first = studio()
    jobs = [made(first, request) for request in (image("one"), story(), image("two"))]
    first.close()
    engine = studio()
    assert shown(engine) == [job.id for job in reversed(jobs)]
    assert shown(engine, kind="image") == [jobs[2].id, jobs[0].id]
    assert shown(engine, kind="video") == [jobs[1].id]
    assert shown(engine, limit=2) == [jobs[2].id, jobs[1].id]
    again = record_of(engine, jobs[0])
    assert (again.request, again.seed, again.result) == (
        jobs[0].request,
        jobs[0].seed,
        jobs[0].result(),
    )


def test_only_what_succeeded_is_shown_and_to_its_owner_alone(
    engine_on_stage: Engine, stage: Stage
) -> None:
    engine = engine_on_stage
    mine, other = done(engine, stage, owner="me"), done(engine, stage, owner="you")
    running, waiting = busy(engine, stage, owner="me"), engine.submit(image(), owner="me")
    waiting.cancel()
    assert shown(engine, owner="me") == [mine.id]
    assert shown(engine, owner="you") == [other.id]
    assert shown(engine) == []
    assert running.state is JobState.RUNNING


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (image(width=640, height=320), (320, 160)),
        (image(width=64, height=128, format="webp"), (64, 128)),
        (image(width=512, height=512, format="jpeg"), (320, 320)),
        (story(width=512, height=384), (320, 240)),
    ],
)
def test_a_thumbnail_is_small_and_of_the_same_shape(
    studio: Callable[[], Engine], request_: Any, size: tuple[int, int]
) -> None:
    engine = studio()
    job = made(engine, request_)
    with Image.open(engine.gallery.thumbnail(record_of(engine, job))) as small:
        assert (small.format, small.size) == ("WEBP", size)


def test_a_thumbnail_is_made_at_the_first_look_and_kept(studio: Callable[[], Engine]) -> None:
    engine = studio()
    job = made(engine, image())
    assert [path.name for path in files(engine)] == ["image.png"]
    path = engine.gallery.thumbnail(record_of(engine, job))
    assert path == job.result().path.with_name(THUMBNAIL)
    first = path.stat()
    assert engine.gallery.thumbnail(record_of(engine, job)) == path
    assert path.stat().st_ino == first.st_ino


def test_many_looks_at_once_are_one_thumbnail(
    studio: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = studio()
    record = record_of(engine, made(engine, image()))
    writes: list[str] = []
    write, gate, found = Store.write, threading.Barrier(6), []

    def counted(store: Store, job_id: str, name: str, fill: Any) -> Path:
        writes.append(name)
        return write(store, job_id, name, fill)

    def look() -> None:
        gate.wait()
        found.append(engine.gallery.thumbnail(record))

    monkeypatch.setattr(Store, "write", counted)
    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writes == [THUMBNAIL]
    assert len(found) == 6 and {path.name for path in found} == {THUMBNAIL}


def test_a_damaged_picture_or_a_full_disk_shows_the_picture_itself(
    studio: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = studio()
    damaged, fine = made(engine, image()), made(engine, image())
    damaged.result().path.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert engine.gallery.thumbnail(record_of(engine, damaged)) == damaged.result().path

    def refuse(*args: Any) -> Path:
        raise StorageFull("full")

    monkeypatch.setattr(Store, "write", refuse)
    assert engine.gallery.thumbnail(record_of(engine, fine)) == fine.result().path


def test_what_somebody_deleted_by_hand_has_no_thumbnail(studio: Callable[[], Engine]) -> None:
    engine = studio()
    job = made(engine, image())
    record = record_of(engine, job)
    engine.gallery.thumbnail(record)
    job.result().path.unlink()
    with pytest.raises(ResultGone):
        engine.gallery.thumbnail(record)


def test_what_is_removed_is_gone_and_known_to_be(studio: Callable[[], Engine]) -> None:
    first = studio()
    picture, tale, other = (made(first, request) for request in (image(), story(), image()))
    for job in (picture, tale):
        first.gallery.thumbnail(record_of(first, job))
        first.gallery.remove(job.id)
        first.gallery.remove(job.id)
    assert shown(first) == [other.id]
    assert {path.parent.name for path in files(first)} == {other.id}
    first.close()
    engine = studio()
    assert shown(engine) == [other.id]
    for job in (picture, tale):
        assert engine.job(job.id).state is JobState.SUCCEEDED
        with pytest.raises(ResultGone):
            engine.result(engine.job(job.id))
    with pytest.raises(ResultGone):
        engine.scenes(tale.id)


def test_removed_results_do_not_count_as_kept(studio: Callable[[], Engine]) -> None:
    engine = studio()
    job = made(engine, image())
    assert [kept.id for kept in engine._archive.journal.results()] == [job.id]
    engine.gallery.remove(job.id)
    assert engine._archive.journal.results() == []


def test_only_its_owner_removes_it(engine_on_stage: Engine, stage: Stage) -> None:
    job = done(engine_on_stage, stage, owner="me")
    for job_id, owner in ((job.id, "you"), (job.id, None), ("unknown", "me"), ("\ud800", "me")):
        with pytest.raises(JobNotFound):
            engine_on_stage.gallery.remove(job_id, owner=owner)
    assert job.result().path.is_file()
    engine_on_stage.gallery.remove(job.id, owner="me")
    assert not job.result().path.exists()


def test_what_has_not_ended_is_not_removed(engine_on_stage: Engine, stage: Stage) -> None:
    running, waiting = busy(engine_on_stage, stage), engine_on_stage.submit(image())
    for job in (running, waiting):
        with pytest.raises(NotEnded) as refused:
            engine_on_stage.gallery.remove(job.id)
        assert "Cancel it first" in refused.value.advice
    stage.go.release(2)
    assert running.wait(30) and waiting.wait(30)
    assert running.state is waiting.state is JobState.SUCCEEDED


def test_what_goes_on_in_the_next_process_is_not_removed(
    make_engine: EngineFactory, stage: Stage
) -> None:
    engine = make_engine()
    job = busy(engine, stage)
    engine._end_jobs()
    assert job.wait(30) and job.state is JobState.FAILED
    with pytest.raises(NotEnded):
        engine.gallery.remove(job.id)


def test_a_crash_while_removing_leaves_nothing_half_there(
    make_engine: EngineFactory, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    job = done(engine, stage)
    copies: list[Path] = []
    discard = Store.discard

    def crash_first(store: Store, job_id: str) -> None:
        if not copies:
            copies.append(crashed(engine, tmp_path / "copy"))
        discard(store, job_id)

    monkeypatch.setattr(Store, "discard", crash_first)
    engine.gallery.remove(job.id)
    assert list(copies[0].glob("jobs/*/*"))
    again = make_engine(data_dir=copies[0])
    assert shown(again) == []
    assert files(again) == []


def test_on_a_full_disk_the_files_make_room_for_the_journal(
    engine_on_stage: Engine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_on_stage
    job = done(engine, stage)
    journal, mark_gone = engine._archive.journal, engine._archive.journal.mark_gone

    def needs_room(job_ids: list[str]) -> None:
        if files(engine):
            raise StorageFull("full")
        mark_gone(job_ids)

    monkeypatch.setattr(journal, "mark_gone", needs_room)
    engine.gallery.remove(job.id)
    assert (files(engine), shown(engine)) == ([], [])
