"""What is refused before there is a job: bad input, strangers, a full queue, a lack of a model."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.test_bad_input import BAD_IMAGES, BAD_STORIES, NEVER
from tests.faults.conftest import MakeService
from tests.faults.service import IMAGE, STORY, Service

JSON = {"Content-Type": "application/json"}
KEY = "a-key-of-ours"
PAGE_PATHS = ["/ui/", "/ui/config", "/ui/gradio_api/info", "/ui/gradio_api/queue/join", "/nowhere"]


def test_bad_input_is_named_and_not_echoed(service: Service) -> None:
    before = service.journal()
    for field, content in BAD_IMAGES:
        answer = service.client.post("/jobs/image", content=content, headers=JSON)
        expect_refusal(answer, "deadline_s" if field == "return_base64" else field)
    for field, story in BAD_STORIES:
        for path in ("/generate-video", "/generate-video/info", "/jobs/video"):
            expect_refusal(service.client.post(path, json=story), field)
    assert service.journal() == before


def expect_refusal(answer: Any, field: str) -> None:
    assert answer.status_code == 422, answer.text
    body = answer.json()
    named = [error["field"] for error in body["errors"]]
    assert field in named or named == ["return_base64"]
    assert body["advice"] and NEVER not in answer.text


@pytest.mark.parametrize(
    "content",
    [b'{"prompt": "\xff\xfe"}', b"[" * 100_000, b'{"a": ' * 10_000, b"\x00\x01", b""],
    ids=["utf-8", "nesting", "objects", "binary", "nothing"],
)
def test_unreadable_bodies_make_no_job(service: Service, content: bytes) -> None:
    before = service.journal()
    answer = service.client.post("/generate", content=content, headers=JSON)
    assert answer.status_code in (400, 422)
    assert service.journal() == before


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_leaves_nothing_on_disk(service: Service, chunked: bool) -> None:
    before = sorted(service.data_dir.rglob("*"))
    content = b'{"prompt": "' + b"a" * 3_000_000 + b'"}'
    sent = iter([content[:1_500_000], content[1_500_000:]]) if chunked else content
    answer = service.client.post("/generate", content=sent, headers=JSON)
    assert answer.status_code == 413
    assert sorted(service.data_dir.rglob("*")) == before


def test_without_the_key_nothing_answers(make_service: MakeService) -> None:
    service = make_service("--api-key", KEY).start()
    known = {"Authorization": f"Bearer {KEY}"}
    document = service.client.get("/openapi.json", headers=known).json()
    paths = [path.format(job_id="0" * 32, number=1) for path in document["paths"]] + PAGE_PATHS
    open_paths = {"/health", "/health/ready"}
    for headers, let_in in (
        ({}, open_paths),
        ({"X-API-Key": KEY[:-1]}, set()),
        ({"Authorization": "Bearer another"}, set()),
    ):
        answers = {
            (method, path): service.client.request(method, path, headers=headers).status_code
            for method in ("GET", "POST", "DELETE")
            for path in paths
        }
        assert {path for (_, path), status in answers.items() if status != 401} == let_in
    assert service.client.get("/login").status_code == 200
    assert service.journal() == {}
    assert service.client.post("/generate", json=IMAGE, headers=known).status_code == 200


def test_an_unknown_job_is_404_and_a_result_that_is_gone_410(service: Service) -> None:
    assert service.client.get(f"/jobs/{'0' * 32}").status_code == 404
    job = service.done(service.submit(IMAGE))
    for path in (service.data_dir / "jobs" / job["id"]).iterdir():
        path.unlink()
    answer = service.client.get(job["links"]["result"])
    assert (answer.status_code, answer.json()["code"]) == (410, "result_gone")


def test_a_full_queue_says_when_to_come_back(service: Service) -> None:
    long = {**IMAGE, "num_inference_steps": 50}
    jobs = [service.draws(service.submit(long))]
    jobs += [service.submit(long) for _ in range(4)]
    before = service.journal()
    answer = service.client.post("/generate", json=IMAGE)
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
    assert int(answer.headers["Retry-After"]) >= 1
    assert service.journal().keys() == before.keys()
    for job in jobs:
        service.client.delete(job["links"]["self"])
    for job in jobs:
        service.done(job)


def test_an_idempotency_key_stands_for_one_job(service: Service) -> None:
    before = len(service.journal())
    ids = {service.submit(IMAGE, **{"Idempotency-Key": "once"})["id"] for _ in range(3)}
    other = service.client.post(
        "/jobs/image", json={**IMAGE, "seed": 8}, headers={"Idempotency-Key": "once"}
    )
    assert (len(ids), other.status_code, other.json()["code"]) == (1, 409, "key_reused")
    assert len(service.journal()) == before + 1
    service.done(service.job(ids.pop()))


def test_without_a_model_the_process_lives_and_says_why(
    make_service: MakeService, tmp_path: Path
) -> None:
    service = make_service(model=tmp_path / "nowhere").begin()
    service.until(lambda: service.answers("/health"))
    service.until(lambda: service.client.get("/health").json()["model_state"] == "unavailable")
    problem = service.client.get("/health").json()["problem"]
    assert problem["code"] == "model_unavailable" and problem["detail"] and problem["advice"]
    for path, body in (("/generate", IMAGE), ("/generate-video", STORY), ("/jobs/image", IMAGE)):
        answer = service.client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert service.client.get("/health/ready").status_code == 503
    assert service.journal() == {}
