"""How much each route takes: what fits passes, more is 413, announced or not."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from api.body_limits import BARE_BYTES, PICTURE_BYTES, STORY_BYTES
from engine.requests import SCENES_MAX, TEXT_MAX
from tests.api.conftest import KEY

WIDEST = "\U0001f98a" * TEXT_MAX
JSON = {"Content-Type": "application/json", "X-API-Key": KEY}
JOB = f"/jobs/{'0' * 32}"
BARE = [
    *(("GET", path) for path in ("/", "/health", "/health/ready", "/metrics", "/jobs", JOB)),
    *(("GET", f"{JOB}/{part}") for part in ("events", "result", "scenes", "scenes/1")),
    *(
        ("DELETE", JOB),
        ("DELETE", f"{JOB}/result"),
        ("POST", f"{JOB}/replay"),
        ("POST", f"{JOB}/assemble"),
    ),
    *(("POST", "/login"), ("POST", "/logout")),
]
TAKING = [
    *((path, PICTURE_BYTES) for path in ("/generate", "/jobs/image", f"{JOB}/scenes/1/redraw")),
    *((path, STORY_BYTES) for path in ("/generate-video", "/jobs/video", "/generate-video/info")),
    ("/ui/gradio_api/queue/join", STORY_BYTES),
]


def in_pieces(content: bytes) -> Iterator[bytes]:
    yield from (content[start : start + 65536] for start in range(0, len(content), 65536))


def assert_too_large(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), answer.text
    assert answer.json()["advice"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("path", "limit"), TAKING)
def test_more_than_a_route_takes(
    keyed: httpx.Client, path: str, limit: int, announced: bool
) -> None:
    over = b'{"prompt": "' + b"a" * limit + b'"}'
    content: Any = over if announced else in_pieces(over)
    assert_too_large(keyed.post(path, content=content, headers=JSON))


@pytest.mark.parametrize(("method", "path"), BARE)
def test_routes_that_take_nothing(keyed: httpx.Client, method: str, path: str) -> None:
    answers = [
        keyed.request(method, path, content=content, headers=JSON)
        for content in (b"{}", b" " * (BARE_BYTES + 1))
    ]
    assert answers[0].status_code != 413
    assert_too_large(answers[1])


def test_the_longest_story_fits_however_it_is_escaped(keyed: httpx.Client) -> None:
    story = {"hero_description": WIDEST, "negative_prompt": WIDEST, "scenes": [WIDEST] * SCENES_MAX}
    content = json.dumps(story)
    assert len(content) < STORY_BYTES
    answer = keyed.post("/generate-video/info", content=content, headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["scenes_count"] == SCENES_MAX


def test_the_longest_prompts_of_a_picture_fit(keyed: httpx.Client) -> None:
    content = json.dumps({"prompt": WIDEST, "negative_prompt": WIDEST})
    answer = keyed.post("/jobs/image", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")


def test_who_has_no_key_is_told_that_first(keyed: httpx.Client) -> None:
    for path, limit in TAKING:
        assert keyed.post(path, content=b"a" * (limit + 1)).status_code == 401


@pytest.mark.parametrize("content", [b"key=" + b"a" * BARE_BYTES, b"a" * 100_000])
def test_a_long_login_form_is_refused(keyed: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_too_large(keyed.post("/login", content=content, headers=headers))
    assert_too_large(keyed.post("/login", content=in_pieces(content), headers=headers))


def test_a_body_that_nobody_reads_is_not_kept(keyed: httpx.Client) -> None:
    """A GET may stream a body of unknown length: it is answered, the body goes nowhere."""
    connection = HTTPConnection(keyed.base_url.host, keyed.base_url.port or 80, timeout=30)
    body, headers = iter([b"a" * 65536] * 4), {"Transfer-Encoding": "chunked"}
    connection.request("GET", "/health", body, headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert keyed.get("/health").status_code == 200


def test_the_limit_is_counted_and_described(keyed: httpx.Client) -> None:
    keyed.post("/generate", content=b"a" * (PICTURE_BYTES + 1), headers=JSON)
    metrics = keyed.get("/metrics", headers=JSON).text
    assert 'route="/generate",status="413"' in metrics
    described = keyed.get("/openapi.json", headers=JSON).json()["paths"]
    for path, methods in described.items():
        for method, operation in methods.items():
            assert "413" in operation["responses"], (method, path)


def test_nothing_of_it_became_a_job(keyed: httpx.Client) -> None:
    assert keyed.get("/jobs", headers=JSON).json()["jobs"] == []
