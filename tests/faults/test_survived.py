"""Faults of a job: it ends as it should, nothing is left of it, and the next one succeeds."""

import os
import signal
from typing import Any

import httpx
import pytest

from tests.faults.launch import Fault
from tests.faults.service import IMAGE, STORY, Service

LONG = {**IMAGE, "num_inference_steps": 50}
LONG_STORY = {**STORY, "num_inference_steps": 50}


@pytest.mark.parametrize(("path", "body"), [("/generate", LONG), ("/generate-video", LONG_STORY)])
def test_a_client_that_leaves_takes_its_work_with_it(
    service: Service, path: str, body: Any
) -> None:
    before, steps = service.journal(), len(service.steps())
    with pytest.raises(httpx.ReadTimeout):
        service.client.post(path, json=body, timeout=0.5)
    service.until(lambda: "running" not in service.journal().values())
    (new,) = service.journal().keys() - before.keys()
    assert service.job(new)["state"] == "cancelled"
    assert len(service.steps()) < steps + 50
    assert not (service.data_dir / "jobs" / new).exists()


def test_cancel_answers_the_state_however_often(service: Service) -> None:
    running, queued = service.draws(service.submit(LONG)), service.submit(IMAGE)
    assert service.client.delete(queued["links"]["self"]).json()["state"] == "cancelled"
    assert service.client.delete(running["links"]["self"]).status_code == 200
    finished = service.done(service.submit(IMAGE))
    for job, state in ((running, "cancelled"), (queued, "cancelled"), (finished, "succeeded")):
        service.done(job)
        for _ in range(2):
            answer = service.client.delete(job["links"]["self"])
            assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert service.journal()[job["id"]] == state


def test_a_deadline_that_passes_fails_the_job(service: Service) -> None:
    job = service.done(service.submit({**LONG, "deadline_s": 0.3}))
    assert (job["state"], job["error"]["code"]) == ("failed", "deadline_passed")
    assert service.client.get(f"/jobs/{job['id']}/result").status_code == 504


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("out of memory", 507, "out_of_memory"),
        ("nan in latents", 500, "bad_output"),
        ("nan in the picture", 500, "bad_output"),
    ],
)
def test_a_model_that_breaks_fails_the_job_alone(
    service: Service, fault: Fault, status: int, code: str
) -> None:
    before = service.journal()
    with service.broken(fault):
        answer = service.client.post("/generate", json=IMAGE)
        story = service.done(service.submit(STORY, "/jobs/video"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["advice"]
    assert (story["state"], story["error"]["code"]) == ("failed", code)
    new = service.journal().keys() - before.keys()
    assert {service.journal()[job_id] for job_id in new} == {"failed"}
    assert not any((service.data_dir / "jobs" / job_id / "image.png").exists() for job_id in new)


def test_an_encoder_that_is_killed_fails_the_job_with_its_last_words(service: Service) -> None:
    body = {**STORY, "width": 256, "height": 256, "duration_per_scene": 60, "fps": 60}
    job = service.submit(body, "/jobs/video")
    service.until(service.encoders)
    (encoder,) = service.encoders()
    os.kill(encoder, signal.SIGKILL)
    job = service.done(job)
    assert (job["state"], job["error"]["code"]) == ("failed", "encoder_failed")
    assert "ffmpeg" in job["error"]["detail"]
    assert service.client.get(f"/jobs/{job['id']}/result").status_code == 500
    assert not list((service.data_dir / "jobs").glob(f"{job['id']}/*.mp4"))


def test_a_clock_that_jumps_changes_no_job(service: Service) -> None:
    finished = service.done(service.submit(IMAGE))
    waiting = service.draws(service.submit({**LONG, "deadline_s": 600}))
    for offset in (400 * 24 * 3600, -400 * 24 * 3600):
        service.launch.clock.write_text(str(offset))
        assert service.client.get("/health").status_code == 200
        made = service.done(service.submit({**IMAGE, "deadline_s": 600}))
        assert made["state"] == "succeeded"
        assert service.client.get(made["links"]["result"]).status_code == 200
    service.launch.clock.unlink()
    assert service.done(waiting)["state"] == "succeeded"
    listed = [job["id"] for job in service.client.get("/jobs?limit=100").json()["jobs"]]
    assert listed.index(made["id"]) < listed.index(finished["id"])
    assert service.client.get(finished["links"]["result"]).status_code == 200
