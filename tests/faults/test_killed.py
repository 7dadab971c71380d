"""kill -9 of the server: nothing that was accepted is lost, doubled or half there."""

import io
import json
import random
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.metadata import VideoManifest
from engine.video import count_frames
from tests.faults.conftest import MakeService, Tell
from tests.faults.service import ENDED, IMAGE, SMALL, Service
from tests.faults.traffic import Traffic
from tests.movies import read_comment

FIVE = {
    **SMALL,
    "scenes": [f"scene {number}" for number in range(1, 6)],
    "seed": 1,
    "duration_per_scene": 0.2,
}
AT_ONCE = 4


@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_doubled(
    make_service: MakeService, pytestconfig: pytest.Config, tell: Tell
) -> None:
    service = make_service("--pictures-at-once", str(AT_ONCE), step_s=0.002)
    chance = random.Random()
    traffic, whole = Traffic(service, chance), set[str]()
    rounds = pytestconfig.getoption("--rounds")
    for _ in range(rounds):
        service.begin()
        early = chance.random() < 0.3
        service.until(lambda path="/health" if early else "/health/ready": service.answers(path))
        traffic.repeat()
        with traffic.flowing(until_killed=True):
            time.sleep(chance.uniform(0.05, 2.0))
            service.kill()
        compare(service, traffic)
        whole = expect_whole_files(service, whole)
    service.start()
    traffic.repeat()
    service.until(lambda: set(service.journal().values()) <= set(ENDED))
    states = compare(service, traffic)
    assert states.keys() == traffic.accepted  # each call made one job, however often it was made
    expect_whole_files(service, whole)
    assert service.parts() == []
    errors = service.query("SELECT error FROM jobs WHERE state = 'failed'")
    assert {json.loads(error)["code"] for (error,) in errors} <= {"interrupted"}
    told = ", ".join(f"{count} {state}" for state, count in Counter(states.values()).items())
    tell(f"kill -9: {rounds} times; {len(states)} jobs accepted: {told}")


def compare(service: Service, traffic: Traffic) -> dict[str, str]:
    """What the journal says against what the callers were told; the states of all jobs."""
    states = service.journal()
    assert traffic.accepted <= states.keys()
    assert len(states.keys() - traffic.accepted) <= len(traffic.unanswered)
    assert {job_id: states[job_id] for job_id in traffic.ended} == traffic.ended
    assert Counter(states.values())["running"] <= AT_ONCE
    assert service.query("SELECT id FROM jobs WHERE attempts > 2") == []
    return states


def expect_whole_files(service: Service, known: set[str]) -> set[str]:
    """Every result is there and can be read to its end; returns the jobs that have one."""
    results = service.query("SELECT id, result FROM jobs WHERE state = 'succeeded'")
    for job_id, text in results:
        if job_id in known:
            continue
        result: Any = json.loads(text)
        path = service.data_dir / result["path"]
        if path.suffix == ".mp4":
            assert count_frames(path) == result["total_frames"]
        for still in result.get("stills", [result["path"]]):
            Image.open(service.data_dir / still).load()
    return {job_id for job_id, _ in results}


def test_a_job_is_tried_twice_and_no_more(make_service: MakeService) -> None:
    service = make_service(step_s=0.05).start()
    finished = service.done(service.submit(IMAGE))
    picture = service.client.get(finished["links"]["result"]).content
    job = service.submit({**IMAGE, "num_inference_steps": 50})
    for _ in range(2):
        service.draws(job)
        service.kill()
        assert service.journal()[job["id"]] == "running"
        service.start()
    job = service.done(job)
    assert (job["state"], job["error"]["code"]) == ("failed", "interrupted")
    assert service.client.get(f"/jobs/{job['id']}/result").status_code == 500
    assert service.client.get(finished["links"]["result"]).content == picture


def test_a_story_draws_only_what_is_missing(make_service: MakeService) -> None:
    service = make_service(step_s=0.05).start()
    job = service.submit(FIVE, "/jobs/video")
    service.until(lambda: service.job(job["id"])["scene"] == 4 and service.job(job["id"])["step"])
    service.kill()
    kept = sorted(path.name for path in (service.data_dir / "jobs" / job["id"]).iterdir())
    assert kept == ["scene-01.png", "scene-02.png", "scene-03.png"]
    steps = FIVE["num_inference_steps"]
    before = len(service.steps())
    service.start()
    assert service.done(job)["state"] == "succeeded"
    assert len(service.steps()) == before + 2 * steps
    scenes = service.client.get(f"/jobs/{job['id']}/scenes").json()["scenes"]
    assert [scene["seed"] for scene in scenes] == [1, 2, 3, 4, 5]
    video = service.data_dir / "jobs" / job["id"] / "video.mp4"
    manifest = VideoManifest.model_validate_json(read_comment(video))
    assert [scene.prompt for scene in manifest.scenes] == FIVE["scenes"]
    shorter = service.submit({"duration_per_scene": 0.1}, f"/jobs/{job['id']}/assemble")
    assert service.done(shorter)["state"] == "succeeded"
    assert len(service.steps()) == before + 2 * steps
    replay = service.done(service.submit({}, f"/jobs/{job['id']}/replay"))
    assert len(service.steps()) == before + 7 * steps
    for ours, theirs in zip(pictures(service, replay), pictures(service, job), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def pictures(service: Service, job: Any) -> list[Any]:
    scenes = service.client.get(f"/jobs/{job['id']}/scenes").json()["scenes"]
    files = [service.client.get(scene["image"]).content for scene in scenes]
    return [np.asarray(Image.open(io.BytesIO(file))) for file in files]
