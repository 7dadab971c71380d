"""The journeys of a script with `gradio_client` against a running server."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from engine import JobState
from engine.metadata import read_recipe
from tests.ui.conftest import Studio

SMALL = {"width": 64, "height": 64, "num_inference_steps": 10}


@pytest.fixture(scope="module")
def client(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    downloads = tmp_path_factory.mktemp("downloads")
    client = Client(studio.page_url, verbose=False, download_files=downloads)
    yield client
    client.close()


def newest_job(studio: Studio):
    return next(reversed(studio.engine._jobs.values()))


def wait_for(condition, timeout_s: float = 15.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def test_a_picture_needs_only_a_prompt(client: Client) -> None:
    path, made = client.predict("a red fox", api_name="/generate_image")
    with Image.open(path) as image:
        recipe = read_recipe(image)
        assert image.size == (512, 512)
    assert recipe.prompt == "a red fox"
    assert recipe.seed == made["seed"]
    assert made["parameters"].startswith("a red fox\nSteps: 25")


def test_a_picture_inside_json(client: Client) -> None:
    path, made = client.predict("a fox", return_base64=True, **SMALL, api_name="/generate_image")
    assert base64.b64decode(made["image_base64"]) == Path(path).read_bytes()


def test_the_same_seed_gives_the_same_pixels(client: Client) -> None:
    pictures = []
    for _ in range(2):
        path, _made = client.predict("a fox", seed=5, **SMALL, api_name="/generate_image")
        with Image.open(path) as image:
            pictures.append(image.tobytes())
    assert pictures[0] == pictures[1]


def test_a_story_comes_with_its_figures(client: Client) -> None:
    story = {"scenes": ["one", "two", "three"], **SMALL}
    plan = client.predict(**story, api_name="/video_info")
    path, made = client.predict(**story, seed=7, api_name="/generate_video")
    assert Path(path).suffix == ".mp4"
    assert (made["scenes"], made["duration"], made["fps"], made["seed"]) == (3, 10.0, 24, 7)
    assert plan["total_frames"] == made["total_frames"] == 240


def test_health_names_the_model(client: Client, studio: Studio) -> None:
    health = client.predict(api_name="/health")
    facts = studio.engine.status().facts
    assert (health["status"], health["model_loaded"]) == ("healthy", True)
    assert (health["model"], health["device"]) == (facts.name, "cpu")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"prompt": " "}, "prompt: must not be blank."),
        ({"prompt": "x", "width": 65}, "width: must be a multiple of 8."),
        ({"prompt": "x", "num_inference_steps": "25"}, "num_inference_steps: must be a whole"),
    ],
)
def test_bad_input_is_told_by_field_and_makes_no_job(
    client: Client, studio: Studio, fields: dict[str, object], told: str
) -> None:
    before = len(studio.engine._jobs)
    with pytest.raises(AppError, match=told):
        client.predict(**fields, api_name="/generate_image")
    assert len(studio.engine._jobs) == before
    client.predict("a good one", **SMALL, api_name="/generate_image")


def test_cancel_stops_the_work(client: Client, studio: Studio, slow_steps: list[float]) -> None:
    call = client.submit(
        "a fox", **{**SMALL, "num_inference_steps": 50}, api_name="/generate_image"
    )
    wait_for(lambda: len(slow_steps) > 2)
    job = newest_job(studio)
    call.cancel()
    assert job.wait(3)
    assert job.state is JobState.CANCELLED
    assert len(slow_steps) < 40


def test_a_client_that_dies_cancels_its_work(studio: Studio, slow_steps: list[float]) -> None:
    script = (
        "import sys, time\nfrom gradio_client import Client\n"
        "client = Client(sys.argv[1], verbose=False)\n"
        "client.submit('a fox', num_inference_steps=50, width=64, height=64,"
        " api_name='/generate_image')\ntime.sleep(60)\n"
    )
    before = len(studio.engine._jobs)
    process = subprocess.Popen(
        [sys.executable, "-c", script, studio.page_url], env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    try:
        wait_for(lambda: len(studio.engine._jobs) > before and len(slow_steps) > 2, 60)
    finally:
        process.kill()
        process.wait()
    job = newest_job(studio)
    assert job.wait(3)
    assert job.state is JobState.CANCELLED
