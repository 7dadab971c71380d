"""What the page's fields say, and the requests they become: there and back."""

import pytest

from engine import ImageRequest
from ui.image_form import image_request, image_values

FULL = ImageRequest(
    prompt="a fox",
    negative_prompt="rain",
    num_inference_steps=12,
    guidance_scale=2.5,
    seed=0,
    width=640,
    height=384,
    format="webp",
)


@pytest.mark.parametrize("request_", [FULL, ImageRequest(prompt="a fox")], ids=["full", "plain"])
def test_a_request_comes_back_from_the_form_it_fills(request_: ImageRequest) -> None:
    assert image_request(*image_values(request_)) == request_
