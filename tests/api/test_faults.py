"""What happens when a client leaves, the queue is full, or there is no model."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api import build_api
from engine import Engine, ImageRequest, Settings
from engine.errors import DeviceOutOfMemory, EncoderFailed, StorageFull
from engine.production import Production
from tests.api.conftest import Steps
from tests.server import running, wait_until_ready

SMALL = {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": 10}
STORY = {"scenes": ["a", "b"], "width": 64, "height": 64, "duration_per_scene": 0.5}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("route", ["/generate", "/generate-video"])
def test_a_client_that_leaves_cancels_its_work(
    api: httpx.Client, engine: Engine, paced: Steps, route: str
) -> None:
    body = {**(SMALL if route == "/generate" else STORY), "num_inference_steps": 50}
    with pytest.raises(httpx.ReadTimeout):
        api.post(route, json=body, timeout=0.5)
    left = time.monotonic()
    until(lambda: not engine.status().running)
    after = [ended for ended in paced if ended > left]
    assert len(after) <= 5  # a look every 50 ms, steps of 50 ms, and a busy machine
    assert len(paced) < 50
    assert api.post("/generate", json=SMALL).status_code == 200


def test_requests_at_once_share_one_device(api: httpx.Client, paced: Steps) -> None:
    answers: list[httpx.Response] = []

    def ask(seed: int) -> None:
        answers.append(api.post("/generate", json={**SMALL, "seed": seed}))

    threads = [threading.Thread(target=ask, args=(seed % 2,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6  # `paced` asserts one at a time
    by_seed = {a.headers["x-seed"]: {a.content for a in answers} for a in answers}
    assert set(by_seed) == {"0", "1"}


def test_health_answers_while_the_device_works(api: httpx.Client, paced: Steps) -> None:
    thread = threading.Thread(target=lambda: api.post("/generate", json=SMALL))
    thread.start()
    until(lambda: bool(paced))
    health = api.get("/health")
    thread.join()
    assert health.status_code == 200


def test_a_full_queue_says_when_to_come_back(
    tiny_model: Path, tmp_path: Path, paced: Steps
) -> None:
    settings = {"model": str(tiny_model), "data_dir": tmp_path, "max_queue": 1}
    engine = Engine(Settings.model_validate(settings))
    with running(build_api(engine)) as url:
        wait_until_ready(url)
        request = ImageRequest(**{**SMALL, "num_inference_steps": 50})
        first = engine.submit(request)
        until(lambda: first.snapshot().started_at is not None)
        second = engine.submit(request)
        answer = httpx.post(f"{url}/generate", json=SMALL)
        assert answer.status_code == 503
        assert answer.json()["code"] == "queue_full"
        assert int(answer.headers["retry-after"]) >= 1
        first.cancel()
        second.cancel()
        assert httpx.post(f"{url}/generate", json=SMALL, timeout=60).status_code == 200


@pytest.mark.parametrize("model", ["missing-folder/", "no/such-model", "not a model", "empty"])
def test_without_a_model_the_process_lives_and_says_why(tmp_path: Path, model: str) -> None:
    (tmp_path / "empty").mkdir()
    name = str(tmp_path / "empty") if model == "empty" else model
    engine = Engine(Settings.model_validate({"model": name, "data_dir": tmp_path / "data"}))
    with running(build_api(engine)) as url:
        until(lambda: engine.status().model_state == "unavailable")
        health = httpx.get(f"{url}/health")
        answer = httpx.post(f"{url}/generate", json=SMALL)
        ready = httpx.get(f"{url}/health/ready")
        info = httpx.post(f"{url}/generate-video/info", json=STORY)
    assert health.status_code == 200
    assert health.json()["model_loaded"] is False
    assert health.json()["problem"]["code"] == "model_unavailable"
    assert (answer.status_code, ready.status_code, info.status_code) == (503, 503, 200)
    assert answer.json()["detail"] and answer.json()["advice"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DeviceOutOfMemory("It does not fit."), 507),
        (StorageFull("The disk is full."), 507),
        (EncoderFailed("ffmpeg ended with status 1: last words"), 500),
        (ZeroDivisionError("a secret of ours"), 500),
    ],
)
def test_failures_answer_with_advice_and_pass(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*args: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Production, "draw", fail)
        answer = api.post("/generate", json=SMALL)
    assert answer.status_code == status
    assert answer.json()["advice"] and "secret" not in answer.text
    assert api.post("/generate", json=SMALL).status_code == 200


def test_stopping_answers_open_requests_and_refuses_new_ones(
    tiny_model: Path, tmp_path: Path, paced: Steps
) -> None:
    engine = Engine(Settings.model_validate({"model": str(tiny_model), "data_dir": tmp_path}))
    with running(build_api(engine)) as url:
        wait_until_ready(url)
        answers: list[httpx.Response] = []
        body = {**SMALL, "num_inference_steps": 50}
        thread = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{url}/generate", json=body, timeout=60))
        )
        thread.start()
        until(lambda: bool(paced))
        engine.stop_accepting()
        thread.join()
        refused = httpx.post(f"{url}/generate", json=SMALL)
    assert [answer.status_code for answer in [*answers, refused]] == [503, 503]
    assert refused.json()["code"] == "shutting_down"
