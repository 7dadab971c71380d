"""Whatever is sent, the answer names what is wrong, echoes nothing, and the next request works."""

import json
from typing import Any

import httpx
import pytest

SMALL = {"width": 64, "height": 64, "num_inference_steps": 10}
SCENES = ["one", "two"]
NEVER = "xyzzy-secret"

BAD_IMAGES: list[tuple[str, str]] = [
    ("prompt", "{}"),
    ("prompt", '{"prompt": ""}'),
    ("prompt", '{"prompt": " \\t\\n "}'),
    ("prompt", '{"prompt": "\\u001e \\u0085 \\ufeff"}'),
    ("prompt", '{"prompt": null}'),
    ("prompt", '{"prompt": 5}'),
    ("prompt", '{"prompt": ["xyzzy-secret"]}'),
    ("prompt", '{"prompt": "xyzzy-secret\\u0000"}'),
    ("prompt", '{"prompt": "xyzzy-secret \\ud800"}'),
    ("prompt", json.dumps({"prompt": NEVER * 1000})),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": 9}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": 51}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": "25"}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": 25.0}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": true}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": NaN}'),
    ("num_inference_steps", '{"prompt": "a", "num_inference_steps": 1e999}'),
    ("return_base64", '{"prompt": "a", "return_base64": "yes"}'),
    ("return_base64", '{"prompt": "a", "return_base64": 1}'),
    ("guidance_scale", '{"prompt": "a", "guidance_scale": 0.5}'),
    ("guidance_scale", '{"prompt": "a", "guidance_scale": 31}'),
    ("guidance_scale", '{"prompt": "a", "guidance_scale": NaN}'),
    ("guidance_scale", '{"prompt": "a", "guidance_scale": -Infinity}'),
    ("seed", '{"prompt": "a", "seed": -1}'),
    ("seed", '{"prompt": "a", "seed": 4294967296}'),
    ("seed", '{"prompt": "a", "seed": "xyzzy-secret"}'),
    ("width", '{"prompt": "a", "width": 63}'),
    ("width", '{"prompt": "a", "width": 65}'),
    ("height", '{"prompt": "a", "height": 2056}'),
    ("format", '{"prompt": "a", "format": "xyzzy-secret"}'),
    ("promt", '{"prompt": "a", "promt": "xyzzy-secret"}'),
    ("body", "[]"),
    ("body", '"xyzzy-secret"'),
    ("body", "null"),
    ("body", '{"prompt": "xyzzy-secret"'),
    ("body", ""),
    ("body", '{"\\ud800": 1}'),
]
BAD_STORIES: list[tuple[str, dict[str, Any]]] = [
    ("scenes", {}),
    ("scenes", {"scenes": ["only one"]}),
    ("scenes", {"scenes": ["a"] * 51}),
    ("scenes", {"scenes": "a, b"}),
    ("scenes.1", {"scenes": ["a", "   "]}),
    ("scenes.0", {"scenes": [None, "b"]}),
    ("hero_description", {"scenes": SCENES, "hero_description": 5}),
    ("hero_description", {"scenes": SCENES, "hero_description": "\0"}),
    ("hero_desciption", {"scenes": SCENES, "hero_desciption": "a knight"}),
    ("duration_per_scene", {"scenes": SCENES, "duration_per_scene": 0}),
    ("duration_per_scene", {"scenes": SCENES, "duration_per_scene": 60.5}),
    ("duration_per_scene", {"scenes": SCENES, "duration_per_scene": "3"}),
    ("fps", {"scenes": SCENES, "fps": 0}),
    ("fps", {"scenes": SCENES, "fps": 61}),
    ("fps", {"scenes": SCENES, "fps": 24.5}),
    ("transition_frames", {"scenes": SCENES, "transition_frames": -1}),
    ("transition_frames", {"scenes": SCENES, "transition_frames": 241}),
    ("width", {"scenes": SCENES, "width": 100}),
    ("body", {"scenes": ["a"] * 50, "duration_per_scene": 60, "fps": 60}),
    ("body", {"scenes": ["a"] * 50, "duration_per_scene": 30, "width": 2048, "height": 2048}),
]


@pytest.fixture(autouse=True)
def a_good_request_still_succeeds(api: httpx.Client) -> Any:
    yield
    assert api.post("/generate", json={"prompt": "a fox", **SMALL}).status_code == 200


def assert_refused(answer: httpx.Response, field: str) -> None:
    body = answer.json()
    assert answer.status_code == 422, body
    assert field in [error["field"] for error in body["errors"]]
    assert body["code"] == "invalid_request" and body["advice"]
    assert NEVER not in answer.text


@pytest.mark.parametrize(("field", "content"), BAD_IMAGES)
def test_bad_image_requests(api: httpx.Client, field: str, content: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert_refused(api.post("/generate", content=content, headers=headers), field)


@pytest.mark.parametrize("route", ["/generate-video", "/generate-video/info"])
@pytest.mark.parametrize(("field", "story"), BAD_STORIES)
def test_bad_stories(api: httpx.Client, route: str, field: str, story: dict[str, Any]) -> None:
    assert_refused(api.post(route, json=story), field)


def test_a_mistyped_field_is_named_with_the_right_one(api: httpx.Client) -> None:
    body = {"scenes": SCENES, "hero_desciption": "a knight"}
    (error,) = api.post("/generate-video", json=body).json()["errors"]
    assert error == {
        "field": "hero_desciption",
        "message": "There is no such field; did you mean hero_description?",
    }


@pytest.mark.parametrize(
    "content",
    [b'{"prompt": "\xff\xfe"}', b"[" * 90_000, b'{"prompt": ' * 9_000, b"\x00\x01\x02"],
    ids=["utf-8", "nesting", "objects", "binary"],
)
def test_unreadable_bodies(api: httpx.Client, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.post("/generate", content=content, headers=headers)
    assert answer.status_code in (400, 422)


def test_form_bodies_are_refused(api: httpx.Client) -> None:
    assert api.post("/generate", data={"prompt": "a"}).status_code == 422


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_over_the_limit(api: httpx.Client, chunked: bool) -> None:
    content = b'{"prompt": "' + b"a" * 3_000_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    sent = iter([content[:1_500_000], content[1_500_000:]]) if chunked else content
    assert api.post("/generate", content=sent, headers=headers).status_code == 413


def test_foreign_host_headers_are_refused(api: httpx.Client) -> None:
    assert api.get("/health", headers={"Host": "evil.example"}).status_code == 400


def test_foreign_origins_are_not_allowed_to_read(api: httpx.Client) -> None:
    answer = api.get("/health", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_unknown_routes_and_methods(api: httpx.Client) -> None:
    assert api.get("/nowhere").json()["code"] == "not_found"
    assert api.get("/generate").json()["code"] == "method_not_allowed"
    assert api.put(f"/jobs/{'0' * 32}").headers["Allow"] == "DELETE, GET"


def test_a_foreign_page_cannot_make_a_browser_send_work(api: httpx.Client) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = api.post("/generate", json={"prompt": "a fox", **SMALL}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


def test_the_own_page_may_send_work(api: httpx.Client) -> None:
    headers = {"Origin": str(api.base_url).rstrip("/")}
    answer = api.post("/generate", json={"prompt": "a fox", **SMALL}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/ui/gradio_api/upload", "/ui/monitoring/summary"])
def test_unused_doors_of_the_page_are_closed(api: httpx.Client, path: str) -> None:
    assert api.post(path).status_code == 404


def test_very_many_faults_are_told_shortly(api: httpx.Client) -> None:
    body = {"prompt": "a", **{f"numb_{index}": 1 for index in range(5_000)}}
    answer = api.post("/generate", json=body)
    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 10_000
