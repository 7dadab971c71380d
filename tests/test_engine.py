import numpy as np
from PIL import Image

from engine import Engine, ImageRequest


def test_same_seed_same_pixels(engine: Engine) -> None:
    request = ImageRequest(prompt="a cat", seed=3, width=64, height=64, num_inference_steps=10)
    jobs = [engine.submit(request) for _ in range(2)]
    assert all(job.wait(60) for job in jobs)
    first, second = (np.asarray(Image.open(engine.result(job).path)) for job in jobs)
    assert np.array_equal(first, second)
