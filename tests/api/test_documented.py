"""The five documented routes, to the letter."""

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import httpx
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from api.negotiation import prefers_html
from engine import Engine
from engine.metadata import read_recipe
from engine.status import Readiness

SMALL = {"width": 64, "height": 64, "num_inference_steps": 10}
STORY = {
    "hero_description": "a brave knight in silver armor",
    "scenes": ["Scene 1", "Scene 2", "Scene 3"],
    "duration_per_scene": 3.0,
    "fps": 24,
    "transition_frames": 12,
}


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def test_root_answers_programs_with_json(api: httpx.Client) -> None:
    answer = api.get("/", headers={"Accept": "*/*"})
    assert answer.json() == {
        "status": "running",
        "device": "cpu",
        "model": "tiny",
        "endpoints": {
            "generate_image": "/generate",
            "generate_video": "/generate-video",
            "video_info": "/generate-video/info",
        },
    }


def test_root_sends_browsers_to_the_page(api: httpx.Client) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    answer = api.get("/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["location"]) == (307, "ui/")


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html, application/json;q=0.9", True),
        ("text/html;q=nonsense", False),
    ],
)
def test_accept_header(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


def test_health_has_the_documented_fields(api: httpx.Client) -> None:
    health = api.get("/health").json()
    assert (health["status"], health["model_loaded"], health["device"]) == ("healthy", True, "cpu")
    assert api.get("/health/ready").status_code == 200


def test_health_tells_how_far_the_model_is_compiled(
    api: httpx.Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api.get("/health").json()["programs"] is None  # it is not, on a CPU
    monkeypatch.setattr(engine, "_programs", lambda: Readiness(ready=5, pending=1))
    assert api.get("/health").json()["programs"] == {"ready": 5, "pending": 1}


def test_image_is_a_png_download_of_512_pixels_with_its_recipe(api: httpx.Client) -> None:
    answer = api.post("/generate", json={"prompt": "a cute robot"})
    image = picture(answer)
    recipe = read_recipe(image)
    assert (image.format, image.size) == ("PNG", (512, 512))
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert recipe is not None
    assert (recipe.prompt, recipe.num_inference_steps) == ("a cute robot", 25)
    assert answer.headers["x-seed"] == str(recipe.seed)
    assert image.info["parameters"].startswith("a cute robot\nSteps: 25")


def test_base64_answer(api: httpx.Client) -> None:
    body = {"prompt": "a robot", "return_base64": True, "seed": 7, **SMALL}
    answer = api.post("/generate", json=body).json()
    image = Image.open(io.BytesIO(base64.b64decode(answer.pop("image_base64"))))
    assert answer == {
        "success": True,
        "prompt": "a robot",
        "steps": 10,
        "format": "png",
        "seed": 7,
        "guidance_scale": 7.5,
    }
    assert image.size == (64, 64)


@pytest.mark.parametrize("image_format", ["png", "webp", "jpeg"])
def test_formats(api: httpx.Client, image_format: str) -> None:
    answer = api.post("/generate", json={"prompt": "café 🦊", "format": image_format, **SMALL})
    image = picture(answer)
    recipe = read_recipe(image)
    assert image.format == image_format.upper()
    assert answer.headers["content-type"] == f"image/{image_format}"
    assert recipe is not None and recipe.prompt == "café 🦊"


def test_a_told_seed_gives_the_same_file_content(api: httpx.Client) -> None:
    first = api.post("/generate", json={"prompt": "a fox", **SMALL})
    again = api.post(
        "/generate", json={"prompt": "a fox", "seed": int(first.headers["x-seed"]), **SMALL}
    )
    other = api.post("/generate", json={"prompt": "a fox", "seed": 1, **SMALL})
    assert np.array_equal(picture(first), picture(again))
    assert not np.array_equal(picture(first), picture(other))


def test_info_of_the_documented_story(api: httpx.Client) -> None:
    info = api.post("/generate-video/info", json=STORY).json()
    estimate = info.pop("estimated_generation_time_seconds")
    assert isinstance(estimate, int) and estimate >= 1
    documented = {
        "scenes_count": 3,
        "frames_per_scene": 72,
        "transition_frames": 12,
        "total_frames": 240,
        "total_duration_seconds": 10.0,
        "fps": 24,
        "resolution": "512x512",
    }
    assert {key: info[key] for key in documented} == documented
    assert info["scene_prompts"][0] == "a brave knight in silver armor, Scene 1"
    assert len(info["scene_tokens"]) == 3


def test_documented_story_video(api: httpx.Client, tmp_path: Path) -> None:
    answer = api.post("/generate-video", json={**STORY, "num_inference_steps": 10})
    assert answer.status_code == 200, answer.text
    path = tmp_path / "video.mp4"
    path.write_bytes(answer.content)
    stream = _stream(path)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-video-scenes"] == "3"
    assert answer.headers["x-video-duration"] == "10.0"
    assert answer.headers["x-video-fps"] == "24"
    assert stream == {"codec": "h264", "pixels": "yuv420p", "size": "512x512", "fps": 24.0}
    assert imageio_ffmpeg.count_frames_and_secs(str(path)) == (240, 10.0)
    assert answer.content.index(b"moov") < answer.content.index(b"mdat")


def _stream(path: Path) -> dict[str, object]:
    """Read a video's facts with imageio-ffmpeg, which brings no ffprobe."""
    facts = next(imageio_ffmpeg.read_frames(str(path)))
    assert isinstance(facts, dict)
    width, height = facts["size"]
    return {
        "codec": facts["codec"],
        "pixels": facts["pix_fmt"].split("(")[0],
        "size": f"{width}x{height}",
        "fps": facts["fps"],
    }


def test_curl_call_of_the_reference(api: httpx.Client, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    out = tmp_path / "image.png"
    body = json.dumps({"prompt": "A cute robot", "num_inference_steps": 30, **SMALL})
    command = [curl, "-sS", "-X", "POST", f"{api.base_url}/generate"]
    command += ["-H", "Content-Type: application/json", "-d", body, "--output", str(out)]
    subprocess.run(command, check=True)
    with Image.open(out) as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_docs_pages_load_nothing_from_elsewhere(api: httpx.Client, page: str) -> None:
    html = api.get(page).text
    assert "static-offline-docs" in html
    assert "//cdn" not in html and "https://" not in html.replace("https://www.w3.org", "")


def test_openapi_tells_binary_answers_examples_and_errors(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    generate = paths["/generate"]["post"]
    assert {"image/png", "image/webp", "image/jpeg"} <= set(generate["responses"]["200"]["content"])
    assert "video/mp4" in paths["/generate-video"]["post"]["responses"]["200"]["content"]
    assert {"413", "422", "503", "507"} <= set(generate["responses"])
    assert generate["requestBody"]["content"]["application/json"]["examples"]


@pytest.mark.parametrize("path", ["/jobs/{job_id}/events", "/metrics"])
def test_openapi_tells_that_every_error_is_json(api: httpx.Client, path: str) -> None:
    answers = api.get("/openapi.json").json()["paths"][path]["get"]["responses"]
    errors = {tuple(told["content"]) for status, told in answers.items() if status != "200"}
    assert errors == {("application/json",)}
