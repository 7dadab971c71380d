"""One request through every door: the same pixels, alone or in a crowd."""

from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client
from numpy.typing import NDArray
from PIL import Image

from engine import ImageRequest
from tests.ui.conftest import Studio, Visits

REQUEST: dict[str, Any] = {
    "prompt": "a fox in the snow",
    "seed": 12345,
    "width": 128,
    "height": 64,
    "num_inference_steps": 10,
}


def pixels(source: Any) -> NDArray[np.uint8]:
    with Image.open(source) as image:
        return np.asarray(image).copy()


def through_rest(studio: Studio) -> NDArray[np.uint8]:
    answer = httpx.post(f"{studio.url}/generate", json=REQUEST, timeout=60)
    return pixels(BytesIO(answer.content))


def through_client(studio: Studio) -> NDArray[np.uint8]:
    client = Client(studio.page_url, verbose=False)
    path, _ = client.predict(**REQUEST, api_name="/generate_image")
    client.close()
    return pixels(path)


def through_page(visits: Visits) -> NDArray[np.uint8]:
    page = visits.open()
    page.fill("#image-prompt textarea", REQUEST["prompt"])
    page.get_by_role("button", name="More settings").locator("visible=true").click()
    page.fill("#image-seed textarea, #image-seed input", str(REQUEST["seed"]))
    page.fill("#image-size input", "128x64")
    page.press("#image-size input", "Enter")
    page.fill("#image-steps input[type=number]", str(REQUEST["num_inference_steps"]))
    page.press("#image-steps input[type=number]", "Tab")
    page.click("#image-generate")
    with page.expect_download() as started:
        page.click("#image-download")
    return pixels(started.value.path())


@pytest.mark.browser
def test_rest_client_and_page_draw_the_same_pixels(studio: Studio, visits: Visits) -> None:
    reference = through_rest(studio)
    assert reference.shape == (64, 128, 3)
    assert np.array_equal(through_client(studio), reference)
    assert np.array_equal(through_page(visits), reference)


def test_others_in_the_queue_change_no_pixel(studio: Studio) -> None:
    alone = through_rest(studio)
    crowd = [
        studio.engine.submit(ImageRequest(prompt="a crowd", width=64, height=64, seed=seed))
        for seed in range(4)
    ]
    answer = through_rest(studio)
    assert all(job.wait(60) for job in crowd)
    assert np.array_equal(answer, alone)
