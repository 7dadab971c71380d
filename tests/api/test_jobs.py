"""The job routes: accepted at once, followed, listed, cancelled, fetched, found again."""

import io
import json
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from engine import Engine
from tests.work import until

SMALL = {"width": 64, "height": 64, "num_inference_steps": 10}
IMAGE = {"prompt": "a cat", "seed": 7, **SMALL}
STORY = {"scenes": ["on a beach", "in a forest"], "seed": 3, "duration_per_scene": 0.2, **SMALL}
Event = dict[str, Any]


def submit(api: httpx.Client, body: dict[str, Any], kind: str = "image", **more: Any) -> Any:
    answer = api.post(f"/jobs/{kind}", json=body, **more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    return answer.json()


def ended(api: httpx.Client, job: Any) -> Any:
    while True:
        view = api.get(job["links"]["self"]).json()
        if view["state"] in ("succeeded", "failed", "cancelled"):
            return view
        time.sleep(0.02)


def events(api: httpx.Client, job: Any, **headers: str) -> list[Event]:
    """Read a job's event stream to its end."""
    with api.stream("GET", job["links"]["events"], headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append({**fields, "data": json.loads(fields["data"])})
    return found


def test_an_image_job_makes_what_a_synchronous_call_makes(api: httpx.Client) -> None:
    job = submit(api, IMAGE)
    assert job["state"] in ("queued", "running")
    view = ended(api, job)
    assert (view["state"], view["stage"], view["seed"], view["error"]) == (
        *("succeeded", "done", 7),
        None,
    )
    result = api.get(view["links"]["result"])
    assert result.headers["content-type"] == "image/png"
    assert result.content == api.post("/generate", json=IMAGE).content


def test_a_story_job_tells_its_scenes_and_gives_its_video_in_parts(api: httpx.Client) -> None:
    view = ended(api, submit(api, STORY, "video"))
    scenes = api.get(view["links"]["scenes"]).json()["scenes"]
    assert [(scene["number"], scene["seed"]) for scene in scenes] == [(1, 3), (2, 4)]
    picture = api.get(scenes[1]["image"])
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (64, 64)
    whole = api.get(view["links"]["result"])
    assert whole.headers["content-type"] == "video/mp4"
    part = api.get(view["links"]["result"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])


def test_events_grow_and_end(api: httpx.Client, paced: list[float]) -> None:
    told = events(api, submit(api, IMAGE))
    assert [event["event"] for event in told] == ["progress"] * (len(told) - 1) + ["end"]
    steps = [event["data"]["step"] for event in told]
    assert steps == sorted(steps)
    assert len(set(steps)) > 2
    assert told[-1]["data"]["state"] == "succeeded"
    assert len({event["id"] for event in told}) == len(told)


def test_previews_are_sent_to_whom_asks_for_them(api: httpx.Client, paced: list[float]) -> None:
    job = submit(api, {**IMAGE, "width": 512, "height": 256})
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(events, api, job)
        told = events(api, {"links": {"events": f"{job['links']['events']}?previews=1"}})
    previews = [event for event in told if event["event"] == "preview"]
    assert previews and "id" not in previews[0]  # a client that comes back need not hear of them
    for preview in previews:
        kind, data = preview["data"]["image"].split(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(b64decode(data))) as picture:
            assert (picture.format, picture.size) == ("JPEG", (192, 96))
        assert preview["data"]["scene"] == 1 and 1 <= preview["data"]["step"] <= 10
    assert told[-1]["event"] == "end"
    assert "preview" not in {event["event"] for event in plain.result()}


def test_nothing_is_rendered_for_those_who_left(
    api: httpx.Client, engine: Engine, paced: list[float]
) -> None:
    view = submit(api, {**STORY, "scenes": ["on a beach"] * 5}, "video")
    with api.stream("GET", view["links"]["events"], params={"previews": 1}) as answer:
        lines = answer.iter_lines()  # kept: its end would close the connection
        next(lines)
        assert engine.job(view["id"]).is_watched
    until(lambda: not engine.job(view["id"]).is_watched)
    api.delete(view["links"]["self"])


def test_a_follower_who_comes_back_hears_only_what_is_new(api: httpx.Client) -> None:
    job = submit(api, IMAGE)
    last = events(api, job)[-1]
    again = events(api, job, **{"Last-Event-ID": last["id"]})
    assert [event["event"] for event in again] == ["end"]
    assert again[0]["id"] == last["id"]


def test_a_job_goes_on_when_its_follower_leaves(api: httpx.Client, paced: list[float]) -> None:
    job = submit(api, IMAGE)
    with api.stream("GET", job["links"]["events"]) as answer:
        next(answer.iter_lines())
    assert ended(api, job)["state"] == "succeeded"


def test_cancel_answers_the_state_again_and_again(api: httpx.Client, paced: list[float]) -> None:
    running, queued = submit(api, IMAGE), submit(api, {**IMAGE, "seed": 8})
    assert api.delete(queued["links"]["self"]).json()["state"] == "cancelled"
    assert api.delete(running["links"]["self"]).status_code == 200
    assert ended(api, running)["state"] == "cancelled"
    for _ in range(2):
        view = api.delete(running["links"]["self"]).json()
        assert (view["state"], view["error"]["code"]) == ("cancelled", "cancelled")
    assert api.get(f"{running['links']['self']}/result").status_code == 409


def test_cancelling_what_has_ended_changes_nothing(api: httpx.Client) -> None:
    view = ended(api, submit(api, IMAGE))
    assert api.delete(view["links"]["self"]).json()["state"] == "succeeded"
    assert api.get(view["links"]["result"]).status_code == 200


def test_the_list_comes_newest_first_in_pages(api: httpx.Client) -> None:
    made = [submit(api, {**IMAGE, "seed": seed})["id"] for seed in range(5)]
    for job_id in made:
        ended(api, {"links": {"self": f"/jobs/{job_id}"}})
    found, link = list[str](), "/jobs?limit=2&kind=image&state=succeeded"
    while link and len(found) < 5:
        page = api.get(link).json()
        assert len(page["jobs"]) <= 2
        found += [job["id"] for job in page["jobs"]]
        link = page["next"]
    assert found[:5] == made[::-1][: len(found[:5])]
    assert api.get("/jobs?kind=video&state=queued").json() == {"jobs": [], "next": None}


def test_the_same_key_and_request_are_one_job(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": "once"}
    first, second = (submit(api, IMAGE, headers=headers) for _ in range(2))
    assert first["id"] == second["id"]
    other = api.post("/jobs/image", json={**IMAGE, "seed": 8}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    picture = api.post("/generate", json=IMAGE, headers=headers)
    assert picture.content == api.get(f"{first['links']['self']}/result").content


def test_a_deadline_ends_a_job(api: httpx.Client, paced: list[float]) -> None:
    view = ended(api, submit(api, {**IMAGE, "deadline_s": 0.15}))
    assert (view["state"], view["error"]["code"]) == ("failed", "deadline_passed")
    assert api.get(f"{view['links']['self']}/result").status_code == 504


@pytest.mark.parametrize("deadline", [0, -1, "5", float(10**9)])
def test_a_deadline_out_of_range_is_refused(api: httpx.Client, deadline: object) -> None:
    answer = api.post("/jobs/image", json={**IMAGE, "deadline_s": deadline})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "deadline_s")


@pytest.mark.parametrize("path", ["/generate", "/generate-video"])
def test_a_client_may_prefer_not_to_wait(api: httpx.Client, path: str) -> None:
    body = IMAGE if path == "/generate" else STORY
    answer = api.post(path, json=body, headers={"Prefer": "wait=5, respond-async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert ended(api, answer.json())["state"] == "succeeded"


def test_a_result_before_the_end_is_refused(api: httpx.Client, paced: list[float]) -> None:
    job = submit(api, IMAGE)
    answer = api.get(f"{job['links']['self']}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ended")
    api.delete(job["links"]["self"])


def test_a_result_that_is_gone_answers_410(api: httpx.Client, engine: Engine) -> None:
    view = ended(api, submit(api, IMAGE))
    result = engine.result(engine.job(view["id"]))
    Path(result.path).unlink()
    answer = api.get(view["links"]["result"])
    assert (answer.status_code, answer.json()["code"]) == (410, "result_gone")


def test_a_deleted_result_is_gone_but_not_what_was_made_of_it(api: httpx.Client) -> None:
    view = ended(api, submit(api, STORY, "video"))
    path = view["links"]["self"]
    version = ended(api, api.post(f"{path}/assemble", json={"fps": 12}).json())
    for _ in range(2):
        answer = api.delete(f"{path}/result")
        assert (answer.status_code, answer.content) == (204, b"")
    for part in ("result", "scenes", "scenes/1"):
        answer = api.get(f"{path}/{part}")
        assert (answer.status_code, answer.json()["code"]) == (410, "result_gone")
    assert api.get(path).json()["state"] == "succeeded"
    assert api.get(version["links"]["result"]).status_code == 200
    assert api.get(f"{version['links']['scenes']}/2").status_code == 200
    again = ended(api, api.post(f"{path}/replay").json())
    assert api.get(again["links"]["result"]).status_code == 200


def test_a_result_is_deleted_only_after_the_end(api: httpx.Client, paced: list[float]) -> None:
    path = submit(api, IMAGE)["links"]["self"]
    answer = api.delete(f"{path}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ended")
    assert "Cancel it first" in answer.json()["advice"]
    api.delete(path)
    assert api.delete(f"/jobs/{'0' * 32}/result").status_code == 404


@pytest.mark.parametrize(
    "path", ["", "/events", "/result", "/scenes", "/scenes/1", "?after=nobody"]
)
def test_an_unknown_job_is_404(api: httpx.Client, path: str) -> None:
    url = f"/jobs{path}" if path.startswith("?") else f"/jobs/{'0' * 32}{path}"
    answer = api.get(url)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


def test_a_scene_that_is_not_drawn_is_404(api: httpx.Client) -> None:
    view = ended(api, submit(api, STORY, "video"))
    assert api.get(f"{view['links']['scenes']}/3").status_code == 404
    assert api.get(f"{view['links']['scenes']}/0").status_code == 422


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "state=lost", "kind=song"])
def test_a_bad_listing_is_refused(api: httpx.Client, query: str) -> None:
    assert api.get(f"/jobs?{query}").status_code == 422
