"""Measurements: jobs by how they ended, requests by route, what waits."""

import re

import httpx

from tests.api.test_jobs import IMAGE, ended, submit


def read(api: httpx.Client) -> dict[str, float]:
    answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_jobs_are_counted_by_how_they_ended(api: httpx.Client, paced: list[float]) -> None:
    name = 'storyreel_jobs_total{{code="{}",kind="image",state="{}"}}'
    before = read(api)
    ended(api, submit(api, IMAGE))
    ended(api, submit(api, {**IMAGE, "deadline_s": 0.1}))
    after = read(api)
    for code, state in (("", "succeeded"), ("deadline_passed", "failed")):
        key = name.format(code, state)
        assert after[key] - before.get(key, 0) == 1


def test_stages_take_the_time_they_took(api: httpx.Client, paced: list[float]) -> None:
    name = 'storyreel_job_stage_seconds_sum{kind="image",stage="denoising"}'
    before = read(api).get(name, 0.0)
    ended(api, submit(api, IMAGE))
    assert read(api)[name] - before > 0.05 * (IMAGE["num_inference_steps"] - 1)


def test_what_waits_is_told(api: httpx.Client, paced: list[float]) -> None:
    jobs = [submit(api, {**IMAGE, "seed": seed}) for seed in range(4)]
    told = read(api)
    assert told["storyreel_queue_pictures"] >= 2
    assert told["storyreel_running"] == 1
    for job in jobs:
        api.delete(job["links"]["self"])
    assert told["storyreel_model_ready"] == 1
    assert told["process_resident_memory_bytes"] > 0


def test_requests_are_counted_by_route_not_by_path(api: httpx.Client) -> None:
    for number in range(3):
        api.get(f"/jobs/{number:032}")
        api.get(f"/nowhere/{number}")
    routes = {re.sub('.*route="([^"]*)".*', r"\1", key) for key in read(api) if "requests" in key}
    assert "/jobs/{job_id}" in routes
    assert not any("nowhere" in route or "000" in route for route in routes)
