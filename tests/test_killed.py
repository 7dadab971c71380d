"""kill -9 of real processes: nothing that was accepted is lost, doubled or half there."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from engine import Engine, JobState, Settings, VideoResult
from engine.errors import Interrupted
from engine.journal import NAME
from engine.metadata import VideoManifest
from tests.dying import QuickDrawer, five_scenes
from tests.movies import read_comment
from tests.stub_sampler import StubSampler, open_production
from tests.work import until

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def start(mode: str, data_dir: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.dying", mode, str(data_dir)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def run_and_kill(data_dir: Path, after_s: float) -> list[list[str]]:
    """Let the stream run so long after its first job is accepted; returns what it told."""
    told: list[list[str]] = []
    process = start("stream", data_dir)
    assert process.stdout is not None
    killer = threading.Timer(after_s, process.kill)
    for line in process.stdout:
        told.append(line.split())
        if told[-1][0] == "accepted" and not killer.ident:
            killer.start()
    assert told, "it did not start"
    killer.join()
    process.wait()
    process.stdout.close()
    return told


def check(data_dir: Path) -> dict[str, str]:
    """The state of every job in the journal of a dead process; its integrity is checked."""
    journal = sqlite3.connect(data_dir / NAME)
    assert journal.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = journal.execute("SELECT id, state FROM jobs").fetchall()
    journal.close()
    assert len(rows) == len(dict(rows))
    return dict(rows)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_open_drawer", lambda engine, hand_off: QuickDrawer(engine))


def test_nothing_is_lost_or_doubled_by_kill_9(tmp_path: Path, quick: None) -> None:
    accepted: set[str] = set()
    ended: dict[str, str] = {}
    drawn: Counter[str] = Counter()
    for _ in range(ROUNDS):
        told = run_and_kill(tmp_path, random.uniform(0.0, 0.6))
        accepted |= {words[1] for words in told if words[0] == "accepted"}
        for job_id in (words[1] for words in told if words[0] == "draws"):
            assert job_id not in ended, "an ended job was made again"
            drawn[job_id] += 1
        for _, job_id, state in (words for words in told if words[0] == "ended"):
            assert job_id not in ended, "a job ended twice"
            ended[job_id] = state
        journal = check(tmp_path)
        assert accepted <= journal.keys()
        assert {job_id: journal[job_id] for job_id in ended} == ended
        assert Counter(journal.values())["running"] <= 1
    assert max(drawn.values()) <= 2
    finish(tmp_path, accepted, ended)


def finish(data_dir: Path, accepted: set[str], ended: dict[str, str]) -> None:
    """Start once more, let everything come to its end, and look at what there is."""
    engine = Engine(Settings.model_validate({"data_dir": data_dir}))
    until(lambda: all(job.state.is_terminal for job in list(engine._jobs.values())))
    for job_id in accepted:
        job = engine.job(job_id)
        assert job.state.is_terminal and ended.get(job_id, job.state) == job.state
        if job.state is JobState.SUCCEEDED:
            assert engine.result(job).path.stat().st_size == 5000
        elif job.state is JobState.FAILED:
            assert isinstance(job.error, Interrupted)
    engine.close()
    states = check(data_dir)
    assert set(states.values()) <= {"succeeded", "cancelled", "failed"}
    succeeded = {job_id for job_id, state in states.items() if state == "succeeded"}
    assert {path.name for path in (data_dir / "jobs").iterdir()} == succeeded


def test_a_killed_story_draws_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start("story", tmp_path)  # it dies at its fourth scene of five
    told, _ = process.communicate(timeout=120)
    assert process.returncode < 0 and told == ""
    sampler = StubSampler()
    monkeypatch.setattr(Engine, "_open_drawer", open_production(sampler))
    engine = Engine(Settings.model_validate({"data_dir": tmp_path}))
    try:
        (snapshot,) = engine.jobs()
        job = engine.job(snapshot.id)
        assert job.wait(60) and job.state is JobState.SUCCEEDED, job.error
        assert [(task.prompt, task.seed) for task in sampler.drawn] == [
            ("scene 4", 4),
            ("scene 5", 5),
        ]
        result = engine.result(job)
        assert isinstance(result, VideoResult) and result.scenes == 5
        manifest = VideoManifest.model_validate_json(read_comment(result.path))
        assert [scene.prompt for scene in manifest.scenes] == five_scenes().scenes
        assert [scene.seed for scene in engine.scenes(job.id)] == [1, 2, 3, 4, 5]
    finally:
        engine.close()
