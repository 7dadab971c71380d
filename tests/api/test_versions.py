"""New versions of a story diffuse what changed, and nothing else; a replay gives the same."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.api.test_jobs import IMAGE, STORY, ended, submit

Steps = list[float]
Pixels = list[Any]


def post(api: httpx.Client, job: Any, path: str, body: Any = None, **headers: str) -> Any:
    answer = api.post(f"{job['links']['self']}{path}", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    view = ended(api, answer.json())
    assert view["state"] == "succeeded", view
    return view


def pictures(api: httpx.Client, job: Any) -> Pixels:
    scenes = api.get(job["links"]["scenes"]).json()["scenes"]
    files = [api.get(scene["image"]).content for scene in scenes]
    return [np.asarray(Image.open(io.BytesIO(file))) for file in files]


@pytest.fixture
def story(api: httpx.Client) -> Any:
    view = ended(api, submit(api, STORY, "video"))
    assert view["state"] == "succeeded"
    return view


def test_redrawing_a_scene_diffuses_that_scene(api: httpx.Client, story: Any, paced: Steps) -> None:
    version = post(api, story, "/scenes/2/redraw", {"seed": 99})
    assert len(paced) == STORY["num_inference_steps"]
    before, after = pictures(api, story), pictures(api, version)
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1] != before[1]).any()
    seeds = [scene["seed"] for scene in api.get(version["links"]["scenes"]).json()["scenes"]]
    assert seeds == [3, 99]


def test_new_words_keep_the_seed(api: httpx.Client, story: Any) -> None:
    version = post(api, story, "/scenes/1/redraw", {"text": "in a cave"})
    scenes = api.get(version["links"]["scenes"]).json()["scenes"]
    assert [(scene["prompt"], scene["seed"]) for scene in scenes] == [
        ("in a cave", 3),
        ("in a forest", 4),
    ]


def test_redrawing_with_nothing_said_takes_another_seed(api: httpx.Client, story: Any) -> None:
    version = post(api, story, "/scenes/1/redraw", {})
    assert api.get(version["links"]["scenes"]).json()["scenes"][0]["seed"] != 3


def test_other_times_diffuse_nothing(api: httpx.Client, story: Any, paced: Steps) -> None:
    version = post(
        api, story, "/assemble", {"duration_per_scene": 0.5, "fps": 10, "transition_frames": 3}
    )
    assert paced == []
    for ours, theirs in zip(pictures(api, version), pictures(api, story), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert version["frames"] == 2 * 5 + 3


def test_another_film_of_the_same_pictures_diffuses_nothing(
    api: httpx.Client, story: Any, paced: Steps
) -> None:
    changes = {"transition": "wipe", "motion": "zoom_in", "captions": "subtitles"}
    version = post(api, story, "/assemble", {**changes, "scene_durations": [0.5, 1.0]})
    assert paced == []
    for before, after in zip(pictures(api, story), pictures(api, version), strict=True):
        np.testing.assert_array_equal(after, before)


def test_another_order_diffuses_nothing(api: httpx.Client, story: Any, paced: Steps) -> None:
    version = post(api, story, "/assemble", {"order": [2, 1, 2]})
    assert paced == []
    old, new = pictures(api, story), pictures(api, version)
    for ours, theirs in zip(new, [old[1], old[0], old[1]], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_version_of_a_version_needs_no_grandparent(
    api: httpx.Client, story: Any, paced: Steps
) -> None:
    first = post(api, story, "/assemble", {"fps": 10})
    post(api, first, "/assemble", {"fps": 12})
    assert paced == []


def test_a_replay_draws_the_same_pixels(api: httpx.Client, story: Any, paced: Steps) -> None:
    version = post(api, story, "/replay")
    assert len(paced) == 2 * STORY["num_inference_steps"]
    for ours, theirs in zip(pictures(api, version), pictures(api, story), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_image_is_replayed_too(api: httpx.Client) -> None:
    first = ended(api, submit(api, {**IMAGE, "seed": None}))
    second = post(api, first, "/replay")
    files = [api.get(job["links"]["result"]).content for job in (first, second)]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/scenes/3/redraw", {}, 422),
        ("/scenes/51/redraw", {}, 422),
        ("/scenes/1/redraw", {"text": " "}, 422),
        ("/scenes/1/redraw", {"words": "a"}, 422),
        ("/assemble", {"order": [1, 3]}, 422),
        ("/assemble", {"order": [1]}, 422),
        ("/assemble", {"fps": 0}, 422),
        ("/assemble", {"duration_per_scene": "1"}, 422),
    ],
)
def test_a_version_that_cannot_be_is_refused(
    api: httpx.Client, story: Any, path: str, body: Any, status: int
) -> None:
    assert api.post(f"{story['links']['self']}{path}", json=body).status_code == status


def test_a_picture_has_no_scenes_to_change(api: httpx.Client) -> None:
    job = ended(api, submit(api, IMAGE))
    for path in ("/assemble", "/scenes/1/redraw"):
        answer = api.post(f"{job['links']['self']}{path}", json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_what_has_not_ended_cannot_be_replayed(api: httpx.Client, paced: Steps) -> None:
    job = submit(api, IMAGE)
    answer = api.post(f"{job['links']['self']}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ended")
    api.delete(job["links"]["self"])


def test_a_story_takes_pictures_that_were_liked(api: httpx.Client, paced: Steps) -> None:
    for seed, prompt in ((8, "on a beach"), (5, "in a forest")):
        settings = {name: STORY[name] for name in ("width", "height", "num_inference_steps")}
        ended(api, submit(api, {**settings, "prompt": prompt, "seed": seed}))
    paced.clear()
    scenes = {"scenes": ["on a beach", "in a forest"], "scene_seeds": [8, 5]}
    body = {**{k: v for k, v in STORY.items() if k != "seed"}, **scenes}
    assert ended(api, submit(api, {**body, "reuse": True}, "video"))["state"] == "succeeded"
    assert paced == []
    ended(api, submit(api, body, "video"))
    assert len(paced) == 2 * STORY["num_inference_steps"]
