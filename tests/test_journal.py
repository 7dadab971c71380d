import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadOutput, JobCancelled, JournalUnusable, ShuttingDown, StorageFull
from engine.jobs import Job
from engine.journal import NAME, Journal
from engine.metadata import ImageRecipe
from engine.records import KeptScene
from engine.requests import ImageRequest, VideoRequest
from engine.schema import APPLICATION_ID, SCHEMA_VERSION, STEPS
from engine.snapshots import ImageResult, JobState, Terms, VideoResult
from tests.work import image, story

TERMS = Terms(owner="me", client="here", attended=True, deadline_s=9.5, reuse=True)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.close()


def accepted(
    journal: Journal, request: ImageRequest | VideoRequest | None = None, **terms: Any
) -> Job:
    job = Job(request or image(), seed=4, terms=Terms(**terms))
    journal.accept(job)
    return job


def image_result(folder: Path, job: Job) -> ImageResult:
    return ImageResult(folder / "jobs" / job.id / "image.png", "image/png", 4, 7.5, "a cat\n")


def recipe(**changes: Any) -> ImageRecipe:
    fields: dict[str, Any] = {
        "prompt": "a fox", "negative_prompt": "", "num_inference_steps": 10,
        "guidance_scale": 7.1, "seed": 5, "width": 64, "height": 64, "drawn_width": 64,
        "drawn_height": 64, "model": "m", "revision": "r", "device": "cpu", "dtype": "float32",
        "scheduler": "s",
    }  # fmt: skip
    return ImageRecipe(**{**fields, **changes})


def test_a_job_is_read_back_as_it_was(journal: Journal, tmp_path: Path) -> None:
    request = story(3, hero_description="a \U0001f98a ' \" ?", guidance_scale=6.1)
    job = Job(request, seed=2**32 - 1, terms=TERMS)
    journal.accept(job)
    journal.close()
    record = Journal(tmp_path).get(job.id)
    assert record is not None
    assert (record.request, record.seed, record.terms) == (request, 2**32 - 1, TERMS)
    assert record.snapshot == job.snapshot()
    assert (record.attempts, record.result, record.error) == (0, None, None)


def test_results_and_errors_are_read_back_from_a_moved_folder(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    journal = Journal(old)
    good, video, bad = accepted(journal), accepted(journal, story()), accepted(journal)
    folder = old / "jobs" / video.id
    result = VideoResult(
        folder / "video.mp4", folder / "poster.jpg", (folder / "a.png", folder / "b.png"),
        4, 7.5, 2, 10, 5, 2.0,
    )  # fmt: skip
    for job in (good, video, bad):
        journal.start(job.id, 11.0)
    journal.succeed(good.id, 12.0, image_result(old, good), 100)
    journal.succeed(video.id, 12.0, result, 200)
    journal.end(bad.id, JobState.FAILED, 13.0, BadOutput("NaN", advice="sit down"))
    journal.close()
    old.rename(new)
    journal = Journal(new)
    records = [journal.get(job.id) for job in (good, video, bad)]
    journal.close()
    assert records[0] and records[0].result == image_result(new, good)
    assert records[1] and isinstance(records[1].result, VideoResult)
    assert records[1].result.stills == tuple(
        new / "jobs" / video.id / n for n in ("a.png", "b.png")
    )
    assert records[1].result.poster == new / "jobs" / video.id / "poster.jpg"
    error = records[2] and records[2].error
    assert type(error) is BadOutput
    assert (error.message, error.advice, error.code) == ("NaN", "sit down", "bad_output")
    ended = records[2] and records[2].snapshot
    assert ended and (ended.state, ended.started_at, ended.finished_at) == ("failed", 11.0, 13.0)


def test_an_end_is_final(journal: Journal, tmp_path: Path) -> None:
    job = accepted(journal)
    journal.start(job.id, 1.0)
    journal.succeed(job.id, 2.0, image_result(tmp_path, job), 1)
    before = journal.get(job.id)
    journal.end(job.id, JobState.CANCELLED, 3.0, BadOutput("late"))
    journal.requeue(job.id)
    journal.start(job.id, 4.0)
    assert journal.get(job.id) == before


def test_attempts_count_runs_but_not_those_forgiven(journal: Journal) -> None:
    job = accepted(journal)
    attempts = []
    for forgive in (False, True, False):
        journal.start(job.id, 1.0)
        journal.requeue(job.id, forgive=forgive)
        record = journal.get(job.id)
        assert record and record.snapshot.state is JobState.QUEUED
        assert record.snapshot.started_at is None
        attempts.append(record.attempts)
    assert attempts == [1, 1, 2]


def test_what_has_not_ended_is_listed_in_the_order_of_acceptance(journal: Journal) -> None:
    jobs = [accepted(journal) for _ in range(4)]
    journal.start(jobs[2].id, 1.0)
    journal.end(jobs[1].id, JobState.CANCELLED, 1.0, BadOutput("x"))
    listed = [record.snapshot.id for record in journal.unfinished()]
    assert listed == [jobs[0].id, jobs[2].id, jobs[3].id]


def test_pages_are_of_one_owner_and_newest_first(journal: Journal) -> None:
    mine = [accepted(journal, story() if n % 2 else None, owner="me") for n in range(5)]
    accepted(journal, owner="you"), accepted(journal)
    journal.start(mine[0].id, 1.0)

    def page(**wanted: Any) -> list[int]:
        filters = {"state": None, "kind": None, "limit": 50, "after": None, **wanted}
        ids = [job.id for job in mine]
        return [ids.index(record.snapshot.id) for record in journal.page("me", **filters)]

    assert page() == [4, 3, 2, 1, 0]
    assert page(limit=2) == [4, 3]
    assert page(limit=2, after=mine[3].id) == [2, 1]
    assert page(after=mine[0].id) == []
    assert page(kind="video") == [3, 1]
    assert page(state=JobState.RUNNING) == [0]
    assert page(after="unknown") == []
    assert len(journal.page(None, state=None, kind=None, limit=50, after=None)) == 1


def test_a_key_is_of_one_owner_and_goes_with_its_job(journal: Journal) -> None:
    jobs = [Job(image(), seed=1, terms=Terms(owner=owner)) for owner in (None, "me")]
    for job in jobs:
        journal.accept(job, "key", f"digest of {job.owner}")
    assert journal.key(None, "key") == ("digest of None", jobs[0].id)
    assert journal.key("me", "key") == ("digest of me", jobs[1].id)
    assert journal.key("you", "key") is None and journal.key("me", "other") is None
    journal.end(jobs[1].id, JobState.FAILED, 5.0, BadOutput("x"))
    assert journal.forget_before(6.0) == [jobs[1].id]
    assert journal.key("me", "key") is None and journal.get(jobs[1].id) is None


def test_scenes_are_kept_while_their_job_runs(journal: Journal, tmp_path: Path) -> None:
    job = accepted(journal, story())
    path = tmp_path / "jobs" / job.id / "scene-01.png"
    scene = KeptScene(1, recipe(), path, 0.1)
    journal.keep_scene(job.id, scene)
    assert journal.scenes(job.id) == []
    journal.start(job.id, 1.0)
    journal.keep_scene(job.id, KeptScene(2, recipe(seed=6), path, 0.2))
    journal.keep_scene(job.id, scene)
    journal.keep_scene(job.id, scene)
    assert [s.number for s in journal.scenes(job.id)] == [1, 2]
    assert journal.scenes(job.id)[0] == scene
    assert (scene.prompt, scene.seed) == ("a fox", 5)
    journal.requeue(job.id)
    assert len(journal.scenes(job.id)) == 2
    journal.end(job.id, JobState.FAILED, 2.0, BadOutput("x"))
    assert journal.scenes(job.id) == []


def test_many_threads_write_and_read_at_once(journal: Journal) -> None:
    seen: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(20):
                job = accepted(journal)
                journal.start(job.id, 1.0)
                journal.end(job.id, JobState.CANCELLED, 2.0, BadOutput("x"))
                record = journal.get(job.id)
                assert record and record.snapshot.state is JobState.CANCELLED
        except Exception as err:
            seen.append(err)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [] and len(journal.ids()) == 160


def test_a_poll_does_not_wait_for_a_write(journal: Journal) -> None:
    job = accepted(journal)
    with journal._write_lock:
        journal._writer.execute("BEGIN IMMEDIATE")
        found: list[object] = []
        reader = threading.Thread(target=lambda: found.append(journal.get(job.id)))
        reader.start()
        reader.join(10)
        journal._writer.execute("ROLLBACK")
    assert found and found[0] is not None


def test_ids_that_are_no_text_are_unknown(journal: Journal) -> None:
    assert [journal.get(job_id) for job_id in ("", "\0", "\ud800", "é", "' OR 1=1")] == [None] * 5


def test_a_closed_journal_says_so(journal: Journal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(ShuttingDown):
        accepted(journal)
    with pytest.raises(ShuttingDown):
        journal.get("x")


def test_a_write_that_fails_leaves_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_commit", full)
        with pytest.raises(StorageFull, match="disk is full"):
            accepted(journal)
    assert journal.ids() == set()
    assert accepted(journal).id in journal.ids()


# Opening.


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The file of a closed journal with thirty jobs."""
    journal = Journal(tmp_path)
    for _ in range(30):
        accepted(journal, image("a cat " * 50))
    journal.close()
    return tmp_path / NAME


def refused(path: Path) -> JournalUnusable:
    """Open a journal that must be refused and left as it is."""
    before = path.read_bytes()
    with pytest.raises(JournalUnusable) as caught:
        Journal(path.parent)
    assert path.read_bytes() == before
    assert str(path) in caught.value.message and caught.value.advice
    assert "\n" not in caught.value.message
    return caught.value


def test_a_journal_is_never_half_made(tmp_path: Path) -> None:
    (tmp_path / "journal.new").write_bytes(b"a process died while it began a journal")
    Journal(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_journal_is_refused(filled: Path, share: float) -> None:
    os.truncate(filled, int(filled.stat().st_size * share))
    refused(filled)


@pytest.mark.parametrize("at", [0, 4096, 5000, 20_000])
def test_a_corrupt_journal_is_refused(filled: Path, at: int) -> None:
    with filled.open("rb+") as file:
        file.seek(at)
        file.write(os.urandom(4096))
    refused(filled)


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"a shopping list\n" * 1000)
    refused(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE jobs (id)")
    other.commit()
    other.close()
    assert "not a journal of this program" in refused(path).message


FIRST_SCHEMA_JOBS = """
CREATE TABLE meta (born_at REAL NOT NULL);
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    owner TEXT, client TEXT, attended INTEGER NOT NULL, deadline_s REAL, parent TEXT,
    request TEXT NOT NULL, seed INTEGER NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, created_at REAL NOT NULL, started_at REAL,
    finished_at REAL, result TEXT, error TEXT, bytes INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_owner ON jobs (owner, seq);
CREATE INDEX jobs_by_state ON jobs (state, finished_at);
CREATE TABLE scenes (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    recipe TEXT NOT NULL, file TEXT NOT NULL, draw_s REAL NOT NULL, PRIMARY KEY (job_id, number)
);
CREATE TABLE keys (
    owner TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, created_at REAL NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX keys_by_job ON keys (job_id);
INSERT INTO meta VALUES (1700000000.5);
PRAGMA user_version = 1;
"""


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A journal as version 1 wrote it: a job, and another version of it."""
    path = tmp_path / NAME
    journal = sqlite3.connect(path)
    journal.executescript(f"PRAGMA application_id = {APPLICATION_ID}; {FIRST_SCHEMA_JOBS}")
    for job_id, parent in (("older", None), ("newer", "older")):
        journal.execute(
            "INSERT INTO jobs (id, kind, attended, parent, request, seed, state, created_at) "
            "VALUES (?, 'image', 0, ?, ?, 4, 'queued', 5.0)",
            (job_id, parent, image().model_dump_json()),
        )
    journal.commit()
    journal.close()
    return path


def test_a_journal_of_the_first_version_is_brought_up_to_date(first_version: Path) -> None:
    for _ in range(2):  # the second time nothing is left to do
        journal = Journal(first_version.parent)
        unfinished = journal.unfinished()
        assert [record.snapshot.id for record in unfinished] == ["older", "newer"]
        assert [record.terms.reuse for record in unfinished] == [False, True]
        assert journal.born_at == 1700000000.5
        accepted(journal, reuse=True)
        journal.mark_gone([])
        assert journal.pictures_like(None, recipe()) == []
        for job_id in journal.ids() - {"older", "newer"}:
            journal.end(job_id, JobState.CANCELLED, 6.0, JobCancelled("stop"))
        journal.close()


def test_an_upgrade_happens_whole_or_not_at_all(
    first_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STEPS, 1, STEPS[1] + "CREATE TABLE jobs (id);")
    with pytest.raises(JournalUnusable):
        Journal(first_version.parent)
    monkeypatch.undo()
    assert [r.snapshot.id for r in Journal(first_version.parent).unfinished()] == [
        "older",
        "newer",
    ]


def test_a_newer_journal_is_refused_with_a_clear_message(filled: Path) -> None:
    newer = sqlite3.connect(filled)
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    error = refused(filled)
    assert "newer version" in error.message and "that version" in error.advice


def test_a_log_without_its_journal_is_refused(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    accepted(first)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(tmp_path / f"{NAME}-wal", other)
    with pytest.raises(JournalUnusable, match="is missing"):
        Journal(other)
    first.close()


def test_a_journal_survives_the_death_of_its_process(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    job = accepted(first)
    copy = Path(shutil.copytree(tmp_path, tmp_path.with_name("copy")))
    second = Journal(copy)
    assert second.get(job.id) == first.get(job.id) and second.born_at <= time.time()
    first.close(), second.close()
    check = sqlite3.connect(copy / NAME)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()
