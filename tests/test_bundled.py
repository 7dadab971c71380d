"""The model that ships with the project: it is there, it is small, and it draws."""

import numpy as np
import pytest
from PIL import Image

from engine import ImageRequest
from engine.choice import BUNDLED
from engine.metadata import read_recipe
from tests.conftest import EngineFactory

MIB = 2**20


def test_its_files_are_small() -> None:
    sizes = [path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()]
    assert sum(sizes) <= 52_000_000
    assert max(sizes) <= 15 * MIB


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_draws_at_its_own_size_and_fills_what_was_asked(
    make_engine: EngineFactory, dtype: str
) -> None:
    engine = make_engine(model="bundled", dtype=dtype)
    request = ImageRequest(
        prompt="a castle at sunset", seed=3, num_inference_steps=10, width=512, height=256
    )
    job = engine.submit(request)
    assert job.wait(120)
    with Image.open(engine.result(job).path) as image:
        recipe = read_recipe(image)
        pixels = np.asarray(image)
    assert recipe is not None
    assert pixels.shape == (256, 512, 3)
    assert recipe.drawn_width * recipe.drawn_height == pytest.approx(256 * 256, rel=0.15)
    assert recipe.drawn_width > recipe.drawn_height
    assert pixels.std() > 25  # neither black nor grey


def test_auto_takes_it_where_nothing_is_cached(
    make_engine: EngineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.hub.find_cached", lambda repo_id: None)
    engine = make_engine(model="auto")
    job = engine.submit(ImageRequest(prompt="a beach", num_inference_steps=10))
    assert job.wait(120) and engine.result(job).path.is_file()
    facts = engine.status().facts
    assert facts is not None and facts.name == "bundled"
    assert "not in the local hub cache" in facts.reason
